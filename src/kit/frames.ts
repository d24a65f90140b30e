/**
 * The acknowledged mode of cfjs1 (docs/CFJS1.md, "Acknowledged mode"): after a hello line from each side, both speak in frames.
 *
 *     offset  size
 *     0       4     length of the header, little-endian
 *     4       4     length of the payload, little-endian
 *     8       h     header: one MessagePack map with a member `type`
 *     8 + h   p     payload: the lines of a batch; empty in every other type
 */
import { Packr, Unpackr } from 'msgpackr';
import { SluiceError } from '../core/errors.ts';
import { ByteWriter } from './byte_writer.ts';
import type { Compression } from './compression.ts';

export const FRAME_PREFIX_BYTES = 8;
export const MAX_HEADER_BYTES = 64 * 1024;

/** Refused records that one message names at most, so that its header stays within `MAX_HEADER_BYTES`. */
export const MAX_REFUSED_RECORDS = 8192;

/** Agent to receiver. */
export interface BatchMessage {
  readonly type: 'batch';
  /** Whole, not negative; grows by any step within a session. */
  readonly id: number;
  /** Lines in the payload. */
  readonly count: number;
  /** Where the payload is compressed: how, and how many bytes it holds (`compression.ts`). */
  readonly compression?: Compression;
  readonly size?: number;
}

/** Receiver to agent. */
export type ReceiverMessage =
  | {
      readonly type: 'ack';
      /** Every batch up to and including this id is in the receiver's own store, but for the refused records. */
      readonly id: number;
    }
  | {
      /** Comes before the ack of its batch, several times where need be. Records by their index in the batch, ascending. */
      readonly type: 'refused';
      readonly id: number;
      readonly records: readonly number[];
      readonly reason: string;
    }
  | { readonly type: 'ready'; readonly ready: boolean; readonly reason: string }
  /** The receiver takes nothing more, acks what it has taken, and closes. */
  | { readonly type: 'goodbye' }
  /** The receiver closes the connection because of what it got. */
  | { readonly type: 'error'; readonly reason: string };

export type Message = BatchMessage | ReceiverMessage;

export interface Frame {
  /** As it was sent; to be checked by its reader. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Buffer;
}

const NO_PAYLOAD = Buffer.alloc(0);

const packr = new Packr({ useRecords: false, variableMapSize: true });
// Peers may encode a small number in 64 bits; what is too large for a number loses precision here and is refused where it is checked.
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });

/** A whole frame without a payload. */
export function encodeMessage(message: ReceiverMessage): Buffer {
  return encodeHead(message, 0);
}

/** Prefix and header of a batch's frame; the `payloadBytes` of its lines are to be sent behind it. */
export function encodeBatchHead(message: BatchMessage, payloadBytes: number): Buffer {
  return encodeHead(message, payloadBytes);
}

function encodeHead(message: Message, payloadBytes: number): Buffer {
  const header = packr.pack(message);
  const head = Buffer.allocUnsafe(FRAME_PREFIX_BYTES + header.length);
  head.writeUInt32LE(header.length, 0);
  head.writeUInt32LE(payloadBytes, 4);
  header.copy(head, FRAME_PREFIX_BYTES);
  return head;
}

/** Takes chunks of a stream apart into frames; holds at most one frame. */
export class FrameReader {
  readonly #maxPayloadBytes: number;
  readonly #allocate: (bytes: number) => Buffer;
  /** Prefix and header of the frame that is being received. */
  readonly #head = new ByteWriter(64);
  #header: Readonly<Record<string, unknown>> | undefined;
  #payload: Buffer = NO_PAYLOAD;
  #payloadBytes = 0;

  /** `allocate` gives the memory of payloads, which is its receiver's from the frame on. */
  constructor(maxPayloadBytes: number, allocate = (bytes: number): Buffer => Buffer.allocUnsafeSlow(bytes)) {
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#allocate = allocate;
  }

  /** Memory taken for a frame of which only a part has come, in bytes. */
  get heldBytes(): number {
    return this.#header === undefined ? this.#head.length : this.#head.length + this.#payload.buffer.byteLength;
  }

  /**
   * Frames that `chunk` completes, in order. Throws a SluiceError `protocol_violation` on what cannot be a frame, after which the
   * stream is of no use any more.
   */
  *push(chunk: Buffer): Iterable<Frame> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#header === undefined) {
        at = this.#takeHead(chunk, at);
        if (this.#header === undefined) continue;
      }
      const taken = chunk.copy(this.#payload, this.#payloadBytes, at, at + this.#payload.length - this.#payloadBytes);
      this.#payloadBytes += taken;
      at += taken;
      if (this.#payloadBytes < this.#payload.length) continue;
      const frame = { header: this.#header, payload: this.#payload };
      this.#header = undefined;
      this.#payload = NO_PAYLOAD;
      this.#head.length = 0;
      yield frame;
    }
  }

  #takeHead(chunk: Buffer, start: number): number {
    let at = start;
    const take = (until: number): boolean => {
      const missing = until - this.#head.length;
      const taken = chunk.copy(this.#head.reserve(missing), this.#head.length, at, at + missing);
      this.#head.length += taken;
      at += taken;
      return taken === missing;
    };
    if (this.#head.length < FRAME_PREFIX_BYTES && !take(FRAME_PREFIX_BYTES)) return at;
    const headerBytes = this.#head.bytes.readUInt32LE(0);
    const payloadBytes = this.#head.bytes.readUInt32LE(4);
    if (headerBytes === 0 || headerBytes > MAX_HEADER_BYTES) throw violation(`a frame header of ${headerBytes} bytes`);
    if (payloadBytes > this.#maxPayloadBytes) {
      throw violation(`a frame payload of ${payloadBytes} bytes, more than the ${this.#maxPayloadBytes} allowed`);
    }
    const end = FRAME_PREFIX_BYTES + headerBytes;
    if (!take(end)) return at;
    this.#header = unpackHeader(this.#head.bytes.subarray(FRAME_PREFIX_BYTES, end));
    this.#payload = this.#allocate(payloadBytes);
    this.#payloadBytes = 0;
    return at;
  }
}

function unpackHeader(bytes: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = unpackr.unpack(bytes);
  } catch {
    throw violation('a frame header that is not MessagePack');
  }
  if (!isRecord(value) || typeof value['type'] !== 'string') throw violation('a frame header that is not a map with a type');
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function violation(what: string): SluiceError {
  return new SluiceError('protocol_violation', `the peer sent ${what}`);
}
