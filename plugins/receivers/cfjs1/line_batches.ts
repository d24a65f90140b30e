/** From a buffer of cfjs1 lines to batches, without copying a byte: the buffer becomes their arena. */
import { Ack, type Outcome } from '../../../src/core/ack.ts';
import { Batch, BodyKind, type Columns, createColumns, Storage } from '../../../src/core/batch.ts';
import { NameTable } from '../../../src/core/names.ts';
import { Cfjs1Lines } from '../../../src/kit/cfjs1_lines.ts';
import type { FrameMemory } from './frame_memory.ts';
import type { Passage } from './passage.ts';

/** No cfjs1 line is shorter; `{"format":"a","a":{}}` has 21 bytes. A bound on the memory that a count can ask for. */
export const MIN_LINE_BYTES = 16;

/** Most formats and destinations in one buffer: each costs a batch, so their number must not be the peer's to choose. */
const MAX_KINDS = 256;

/** Batches of lines have no interned names: what they say is inside the line. */
const NO_NAMES = new NameTable();

export interface ParsedLines {
  /** One for each format and destination, with its lines in order. Each is to be emitted; none is empty. */
  readonly batches: readonly Batch[];
  /** Lines in the buffer, not counting empty ones. */
  readonly lines: number;
  /** Lines that are left out since they are copies of others. */
  readonly copies: number;
  /** Indexes of lines that are not taken, ascending, by what is wrong with them. */
  readonly refused: ReadonlyMap<string, readonly number[]>;
}

export interface LinesContext {
  readonly receiver: string;
  /** Arrival, in microseconds. */
  readonly nowMicros: number;
  /** Longer lines are refused. */
  readonly maxLineBytes: number;
  /**
   * Called once when every batch has settled, with the worst outcome; not at all where there is none. Left out where the peer waits for no
   * ack, and so does not keep what it has sent.
   */
  readonly settled?: (outcome: Outcome) => void;
  /** Where columns come from, and where buffer and columns go when nobody looks at them any more. */
  readonly memory?: FrameMemory;
  /** Tells copies apart; left out where all lines are to be taken. */
  readonly passage?: Passage;
}

/** Lines of one format and destination. */
interface Kind {
  readonly index: number;
  readonly format: string;
  readonly destination: string | undefined;
  lines: number;
}

const reader = new Cfjs1Lines();

/**
 * Takes `bytes`, whole lines that each end with a newline, apart; empty lines are passed over. The buffer belongs to the batches from
 * then on. Where there are more lines than expected there are no batches.
 */
export function parseLines(bytes: Buffer, expectedLines: number, context: LinesContext): ParsedLines {
  const { maxLineBytes, nowMicros, passage, memory } = context;
  const columns = memory?.columns(expectedLines) ?? createColumns(expectedLines);
  const kindOfRow = new Uint8Array(expectedLines);
  const kinds = new Map<string, Kind>();
  const refused = new Map<string, number[]>();
  let kind: Kind | undefined;
  let lines = 0;
  let copies = 0;
  let rows = 0;
  const refuse = (problem: string): void => {
    const indexes = refused.get(problem) ?? [];
    indexes.push(lines++);
    refused.set(problem, indexes);
  };
  reader.read(bytes, {
    line(start, end, format, destination, recordStart) {
      if (lines >= expectedLines) return void lines++;
      if (end - start > maxLineBytes) return refuse(`longer than ${maxLineBytes} bytes`);
      if (kind?.format !== format || kind.destination !== destination) kind = kindOf(kinds, format, destination);
      if (kind === undefined) return refuse(`one of more than ${MAX_KINDS} formats and destinations at once`);
      if (passage?.isCopy(recordStart, destination) === true) {
        copies += 1;
        lines += 1;
        return undefined;
      }
      kind.lines += 1;
      kindOfRow[rows] = kind.index;
      columns.bodyStart[rows] = start;
      columns.bodyEnd[rows] = end;
      rows += 1;
      lines += 1;
    },
    refused: refuse,
  });
  passage?.claim();
  if (lines > expectedLines) return { batches: [], lines, copies, refused };
  columns.time.fill(nowMicros);
  columns.kind.fill(BodyKind.cfjs1);
  const taken = [...kinds.values()].filter((each) => each.lines > 0);
  const storage = new Storage(bytes, columns, (freed) => memory?.free(freed));
  if (taken.length === 0) storage.release();
  return { batches: batchesOf(storage, taken, kindOfRow, context), lines, copies, refused };
}

/** The known kind or a new one; undefined where there are too many. */
function kindOf(kinds: Map<string, Kind>, format: string, destination: string | undefined): Kind | undefined {
  const key = destination === undefined ? format : `${format}/${destination}`; // no name has a slash
  const known = kinds.get(key);
  if (known !== undefined || kinds.size === MAX_KINDS) return known;
  const kind = { index: kinds.size, format, destination, lines: 0 };
  kinds.set(key, kind);
  return kind;
}

function batchesOf(storage: Storage, kinds: readonly Kind[], kindOfRow: Uint8Array, context: LinesContext): Batch[] {
  if (kinds.length === 0) return [];
  const acks = new Ack((outcome) => context.settled?.(outcome)).split(kinds.length);
  for (let extra = 1; extra < kinds.length; extra++) storage.retain();
  return kinds.map((kind, index) => {
    const { format, destination, lines } = kind;
    const facts = {
      receiver: context.receiver,
      format,
      services: NO_NAMES,
      epoch: '', // the id of a record is inside its line
      ack: acks[index]!, // one ack a kind
      isKept: context.settled !== undefined,
      ...(destination === undefined ? {} : { destination }),
    };
    if (kinds.length === 1) return new Batch(storage, lines, facts);
    return new Batch(storage, lines, facts, rowsOf(storage.columns, kind, kindOfRow, context.nowMicros));
  });
}

/** The rows of one kind, copied out. */
function rowsOf(all: Columns, { index, lines }: Kind, kindOfRow: Uint8Array, nowMicros: number): Columns {
  const columns = createColumns(lines);
  columns.time.fill(nowMicros);
  columns.kind.fill(BodyKind.cfjs1);
  for (let row = kindOfRow.indexOf(index), to = 0; to < lines; row = kindOfRow.indexOf(index, row + 1), to++) {
    columns.bodyStart[to] = all.bodyStart[row]!; // there are as many rows of the kind as it has lines
    columns.bodyEnd[to] = all.bodyEnd[row]!;
  }
  return columns;
}
