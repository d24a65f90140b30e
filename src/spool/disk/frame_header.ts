/** The MessagePack header of a frame: what is the same for all its records, in a few hundred bytes that recovery reads of each frame. */
import { Packr, Unpackr } from 'msgpackr';

export interface FrameHeader {
  readonly receiver: string;
  readonly format: string;
  readonly epoch?: string;
  /** Sequence number of the first record. */
  readonly sequence: number;
  /** Names of the services; the first has id 1. */
  readonly services: readonly string[];
  readonly resource: Readonly<Record<string, string>>;
  /** Bytes of the arena, which lies behind the columns. */
  readonly arena: number;
  readonly destination?: string;
  readonly onlyFor?: string;
  /** Only told where it is false. */
  readonly isKept?: false;
}

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });

export function encodeHeader(header: FrameHeader): Buffer {
  return packr.pack(header);
}

/** Undefined where the bytes are not a header. */
export function decodeHeader(bytes: Uint8Array): FrameHeader | undefined {
  let value: unknown;
  try {
    value = unpackr.unpack(bytes);
  } catch {
    return undefined;
  }
  return isHeader(value) ? value : undefined;
}

function isHeader(value: unknown): value is FrameHeader {
  return (
    isMap(value) &&
    typeof value['receiver'] === 'string' &&
    typeof value['format'] === 'string' &&
    typeof value['sequence'] === 'number' &&
    typeof value['arena'] === 'number' &&
    Array.isArray(value['services']) &&
    value['services'].every(isText) &&
    isMap(value['resource']) &&
    Object.values(value['resource']).every(isText) &&
    [value['epoch'], value['destination'], value['onlyFor']].every((text) => text === undefined || isText(text))
  );
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
