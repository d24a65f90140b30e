/**
 * journald's own cursor strings, as `sd_journal_get_cursor` makes and `journalctl --show-cursor` prints them:
 *
 *   s=<seqnum id>;i=<seqnum>;b=<boot id>;m=<monotonic>;t=<realtime>;x=<xor hash>
 *
 * Ids are 32 hexadecimal digits, numbers are hexadecimal, times are microseconds. As there, a cursor may lack parts: without `i`
 * it is a point in time, and with `s` one in that sequence of entries.
 */
import { ENTRY, MAX_EXACT } from './format.ts';

/** What the reader goes by; the text has the rest too. */
export interface Cursor {
  readonly text: string;
  readonly seqnumId: string | undefined;
  readonly seqnum: number | undefined;
  readonly bootId: string | undefined;
  /** Microseconds; 0 where the cursor does not say. */
  readonly realtime: number;
}

/** The cursor of the ENTRY object at `at`. */
export function entryCursor(seqnumId: string, bytes: Buffer, at: number): Cursor {
  const number = (field: number): bigint => bytes.readBigUInt64LE(at + field);
  const seqnum = number(ENTRY.seqnum);
  const realtime = number(ENTRY.realtime);
  const bootId = bytes.toString('hex', at + ENTRY.bootId, at + ENTRY.bootId + 16);
  const rest = [`m=${hex(number(ENTRY.monotonic))}`, `t=${hex(realtime)}`, `x=${hex(number(ENTRY.xorHash))}`];
  const text = [`s=${seqnumId}`, `i=${hex(seqnum)}`, `b=${bootId}`, ...rest].join(';');
  return { text, seqnumId, seqnum: Number(seqnum), bootId, realtime: Number(realtime) };
}

/**
 * What the numbers of entries are counted in, for their ids: `<seqnum id>.<first 8 digits of the boot id>`. The seqnum id alone will
 * not do. After a power cut journald goes on behind what of the file had come to the disk, and gives numbers that it has given
 * before the cut, and that may have been read, a second time.
 */
export function epochOf(seqnumId: string, bootId: string): string {
  return `${seqnumId}.${bootId.slice(0, 8)}`;
}

/** The cursor of an entry of which no more is known. */
export function seqnumCursor(seqnumId: string, seqnum: number, realtime: number): Cursor {
  return { text: `s=${seqnumId};i=${hex(seqnum)};t=${hex(realtime)}`, seqnumId, seqnum, bootId: undefined, realtime };
}

/** A point in time, in microseconds: of all entries, or of those with one seqnum id. */
export function timeCursor(realtime: number, seqnumId?: string): Cursor {
  const text = seqnumId === undefined ? `t=${hex(realtime)}` : `s=${seqnumId};t=${hex(realtime)}`;
  return { text, seqnumId, seqnum: undefined, bootId: undefined, realtime };
}

const PART = /^(?:[sb]=[0-9a-f]{32}|[imtx]=[0-9a-f]{1,16})$/;

/** Reads a cursor; undefined where the text is not one, or says neither an entry nor a time. */
export function parseCursor(text: string): Cursor | undefined {
  const parts = text.split(';');
  if (!parts.every((part) => PART.test(part))) return undefined;
  const byName = new Map(parts.map((part) => [part.slice(0, 1), part.slice(2)]));
  const seqnumId = byName.get('s');
  const seqnum = seqnumId === undefined ? undefined : fromHex(byName.get('i'));
  const realtime = fromHex(byName.get('t'));
  if (seqnum === undefined && realtime === undefined) return undefined;
  if ((seqnum ?? 0) > MAX_EXACT || (realtime ?? 0) > MAX_EXACT) return undefined;
  return { text, seqnumId, seqnum, bootId: byName.get('b'), realtime: realtime ?? 0 };
}

function hex(number: number | bigint): string {
  return number.toString(16);
}

function fromHex(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}
