/** From letters back to batches: one for each destination, format and mark. */
import { Ack, type Outcome } from '../core/ack.ts';
import { Batch, BodyKind, createColumns, Storage } from '../core/batch.ts';
import { NameTable } from '../core/names.ts';
import { ByteWriter } from '../kit/byte_writer.ts';
import { Cfjs1Lines } from '../kit/cfjs1_lines.ts';
import { type LetterHead, provenanceFields } from './letter.ts';
import { LetterReader } from './letter_reader.ts';

export interface ReplayContext {
  /** The account in the ledger that the letters are booked on. */
  readonly receiver: string;
  /** Who may be sent letters. */
  readonly destinations: readonly string[];
  /** Microseconds. */
  readonly nowMicros: number;
  /** Called for each batch when it has settled. */
  readonly settled: (batch: Batch, outcome: Outcome) => void;
}

export interface ReplayBatches {
  /** None is empty; each is to be emitted. */
  readonly batches: readonly Batch[];
  /** Lines that cannot be sent, each with its newline, and how many there are. */
  readonly returned: Buffer;
  readonly returnedLines: number;
  /** The number of lines by what is wrong with them. */
  readonly problems: ReadonlyMap<string, number>;
}

/** Batches of complete lines have no interned names. */
const NO_NAMES = new NameTable();

interface Row {
  readonly bodyStart: number;
  readonly bodyEnd: number;
  /** Behind the fields, which begin where the body ends. */
  readonly fieldsEnd: number;
}

/** Records that go into one batch. */
interface Kind {
  readonly onlyFor: string;
  readonly format: string;
  readonly destination: string | undefined;
  readonly writer: ByteWriter;
  readonly rows: Row[];
}

interface Envelope {
  readonly format: string;
  readonly destination: string | undefined;
}

export class ReplayParser {
  readonly #letters = new LetterReader();
  readonly #lines = new Cfjs1Lines();

  /** Takes lines of letters apart; `piece` is not referred to afterwards. */
  parse(piece: Buffer, context: ReplayContext): ReplayBatches {
    const kinds = new Map<string, Kind>();
    const returned = new ByteWriter(1024);
    const problems = new Map<string, number>();
    let returnedLines = 0;
    const giveBack = (start: number, end: number, problem: string): void => {
      returned.append(piece.subarray(start, end));
      returned.append(NEWLINE);
      returnedLines += 1;
      problems.set(problem, (problems.get(problem) ?? 0) + 1);
    };
    this.#letters.read(piece, {
      letter: ({ start, end, head, lineStart, lineEnd }) => {
        const line = piece.subarray(lineStart, lineEnd);
        const envelope = this.#envelopeOf(line);
        if (typeof envelope === 'string') giveBack(start, end, `the record is not cfjs1: ${envelope}`);
        else if (context.destinations.includes(head.destination)) addRow(kindOf(kinds, head.destination, envelope), head, line);
        else giveBack(start, end, `the pipeline has no destination ${head.destination}`);
      },
      unreadable: giveBack,
    });
    const batches = [...kinds.values()].map((kind) => batchOf(kind, context));
    return { batches, returned: returned.written(), returnedLines, problems };
  }

  /** The envelope of a line without its newline, or what is wrong with it. */
  #envelopeOf(line: Buffer): Envelope | string {
    let found: Envelope | string = 'it is empty';
    this.#lines.read(Buffer.concat([line, NEWLINE]), {
      line: (_start, _end, format, destination) => (found = { format, destination }),
      refused: (problem) => (found = problem),
    });
    return found;
  }
}

const NEWLINE = Buffer.from('\n');

function kindOf(kinds: Map<string, Kind>, onlyFor: string, { format, destination }: Envelope): Kind {
  const key = JSON.stringify([onlyFor, format, destination]);
  const known = kinds.get(key);
  if (known !== undefined) return known;
  const kind = { onlyFor, format, destination, writer: new ByteWriter(4096), rows: [] };
  kinds.set(key, kind);
  return kind;
}

function addRow({ writer, rows }: Kind, head: LetterHead, line: Buffer): void {
  const bodyStart = writer.length;
  writer.append(line);
  const bodyEnd = writer.length;
  writer.append(Buffer.from(provenanceFields(head)));
  rows.push({ bodyStart, bodyEnd, fieldsEnd: writer.length });
}

function batchOf({ onlyFor, format, destination, writer, rows }: Kind, context: ReplayContext): Batch {
  const columns = createColumns(rows.length);
  columns.time.fill(context.nowMicros);
  columns.kind.fill(BodyKind.cfjs1);
  for (const [index, { bodyStart, bodyEnd, fieldsEnd }] of rows.entries()) {
    columns.bodyStart[index] = bodyStart;
    columns.bodyEnd[index] = bodyEnd;
    columns.fieldsStart[index] = bodyEnd;
    columns.fieldsEnd[index] = fieldsEnd;
  }
  const batch: Batch = new Batch(new Storage(writer.written(), columns), rows.length, {
    receiver: context.receiver,
    format,
    services: NO_NAMES,
    epoch: '', // the id of a record is inside its line
    isKept: true,
    onlyFor,
    ...(destination === undefined ? {} : { destination }),
    ack: new Ack((outcome) => context.settled(batch, outcome)),
  });
  return batch;
}
