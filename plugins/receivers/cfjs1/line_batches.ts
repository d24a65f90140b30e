/** From a buffer of cfjs1 lines to batches, without copying a byte: the buffer becomes their arena. */
import { Ack, type Outcome } from '../../../src/core/ack.ts';
import { Batch, BodyKind, createColumns, sliceColumns, Storage } from '../../../src/core/batch.ts';
import { NameTable } from '../../../src/core/names.ts';
import { Cfjs1Lines } from '../../../src/kit/cfjs1_lines.ts';

/** No cfjs1 line is shorter; `{"format":"a","a":{}}` has 20 bytes. */
export const MIN_LINE_BYTES = 16;

/** Batches of lines have no interned names: what they say is inside the line. */
const NO_NAMES = new NameTable();

export interface ParsedLines {
  /** Runs of lines of one format and destination, in order. Each is to be emitted; none is empty. */
  readonly batches: readonly Batch[];
  /** Lines in the buffer. */
  readonly lines: number;
  /** Indexes of lines that are not cfjs1, by what is wrong with them. */
  readonly refused: ReadonlyMap<string, readonly number[]>;
}

export interface LinesContext {
  readonly receiver: string;
  /** Arrival, in microseconds. */
  readonly nowMicros: number;
  /** Called once when every batch has settled, with the worst outcome; not at all where there is none. */
  settled(outcome: Outcome): void;
}

interface Run {
  readonly format: string;
  readonly destination: string | undefined;
  readonly start: number;
  end: number;
}

const reader = new Cfjs1Lines();

/** Takes `bytes`, whole lines that each end with a newline, apart. The buffer belongs to the batches from then on. */
export function parseLines(bytes: Buffer, expectedLines: number, context: LinesContext): ParsedLines {
  const columns = createColumns(expectedLines);
  const refused = new Map<string, number[]>();
  const runs: Run[] = [];
  let lines = 0;
  let count = 0;
  reader.read(bytes, {
    line(start, end, format, destination) {
      if (lines++ >= expectedLines) return;
      const last = runs.at(-1);
      if (last !== undefined && last.format === format && last.destination === destination) last.end += 1;
      else runs.push({ format, destination, start: count, end: count + 1 });
      columns.time[count] = context.nowMicros;
      columns.kind[count] = BodyKind.cfjs1;
      columns.bodyStart[count] = start;
      columns.bodyEnd[count] = end;
      count += 1;
    },
    refused(problem) {
      const indexes = refused.get(problem) ?? [];
      indexes.push(lines++);
      refused.set(problem, indexes);
    },
  });
  return { batches: lines > expectedLines ? [] : batchesOf(bytes, columns, runs, context), lines, refused };
}

function batchesOf(
  bytes: Buffer,
  columns: ReturnType<typeof createColumns>,
  runs: readonly Run[],
  context: LinesContext,
): Batch[] {
  if (runs.length === 0) return [];
  const acks = new Ack((outcome) => context.settled(outcome)).split(runs.length);
  const storage = new Storage(bytes, columns);
  for (let extra = 1; extra < runs.length; extra++) storage.retain();
  return runs.map(({ format, destination, start, end }, index) => {
    const facts = {
      receiver: context.receiver,
      format,
      services: NO_NAMES,
      epoch: '', // the id of a record is inside its line
      ack: acks[index]!, // one ack a run
      ...(destination === undefined ? {} : { destination }),
    };
    return new Batch(storage, end - start, facts, sliceColumns(columns, start, end));
  });
}
