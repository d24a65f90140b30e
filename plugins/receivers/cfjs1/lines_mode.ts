/** Plain mode: lines and nothing else. What is not cfjs1 cannot be told to the peer record by record, so it ends the connection. */
import { encodeRefusal } from '../../../src/kit/hello.ts';
import { parseLines } from './line_batches.ts';
import { type Mode, type ModeParts, violation } from './mode.ts';
import { UnfinishedLine } from './unfinished_line.ts';

const NEWLINE = 0x0a;

export class LinesMode implements Mode {
  readonly #p: ModeParts;
  readonly #unfinished: UnfinishedLine;

  constructor(parts: ModeParts) {
    this.#p = parts;
    this.#unfinished = new UnfinishedLine(parts.options.max_line_bytes);
  }

  get heldBytes(): number {
    return this.#unfinished.heldBytes;
  }

  take(chunk: Buffer): void {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) this.#emit(this.#unfinished.complete(chunk.subarray(0, end)));
    if (end < chunk.length) this.#unfinished.keep(chunk.subarray(end));
  }

  /** A last line without a newline is a line. */
  end(): void {
    if (!this.#unfinished.isEmpty) this.#emit(this.#unfinished.complete(Buffer.of(NEWLINE)));
  }

  lastWords(refusedBecause: string | undefined): string {
    this.#unfinished.clear();
    return refusedBecause === undefined ? '' : encodeRefusal(refusedBecause);
  }

  /** Emits what is cfjs1 among these lines, and then throws where some are not. */
  #emit(lines: Buffer): void {
    const { peer, options, context, events } = this.#p;
    const parsed = parseLines(lines, countLines(lines), {
      receiver: context.id,
      nowMicros: context.clock.wallMicros(),
      maxLineBytes: options.max_line_bytes,
    });
    for (const batch of parsed.batches) context.emit(batch);
    for (const [reason, records] of parsed.refused) events.refusedRecords(peer, records.length, reason);
    for (const [reason] of parsed.refused) throw violation(`a line that is not cfjs1 (${reason})`);
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}
