/**
 * One stream of newline-delimited bytes: finds where the complete lines of a chunk end and remembers the unfinished one behind
 * them, which it ships, marked, when its writer stops for too long.
 *
 *   state       chunk brings                        becomes
 *   collecting  a newline                           lines go to the batcher, the rest is remembered
 *   collecting  none, and the line is too long      the start ships as truncated; skipping
 *   skipping    a newline                           collecting, behind it
 *
 * In both states the line is taken for finished when nothing comes for too long, and while collecting when there is no memory for it.
 */
import { RecordFlag } from '../core/batch.ts';
import type { Timer } from '../core/clock.ts';
import type { BufferBudget } from './buffer_budget.ts';
import { ByteWriter } from './byte_writer.ts';
import type { LineBatcher } from './lines.ts';

const NEWLINE = 0x0a;
const LAST_NEWLINE = Buffer.from('\n');

/** A larger buffer for an unfinished line is given back once the line is finished: there may be many streams. */
const KEPT_BYTES = 8 * 1024;

/** A process that was held up finds its timers due before it has read what came meanwhile: this much later it has. */
const LAST_CALL_MS = 50;

export class LineSplitter {
  readonly #batcher: LineBatcher;
  readonly #partialTimeoutMs: number;
  readonly #budget: BufferBudget | undefined;
  #bookedBytes = 0;
  /** Grows by doubling, so that a line that comes byte by byte is not copied anew for each. */
  #unfinished = new ByteWriter(0);
  #skipping = false;
  #timer: Timer | undefined;
  #lastChunkMs = 0;

  /** Where there is a budget and it is used up, the unfinished line that would take more ships at once, marked. */
  constructor(batcher: LineBatcher, partialTimeoutMs: number, budget?: BufferBudget) {
    this.#batcher = batcher;
    this.#partialTimeoutMs = partialTimeoutMs;
    this.#budget = budget;
  }

  /** Takes in a chunk of at most `MAX_CHUNK_BYTES`; its bytes may be reused after the call. */
  push(chunk: Buffer): void {
    let from = 0;
    if (this.#skipping) {
      const newline = chunk.indexOf(NEWLINE);
      if (newline < 0) return this.#await();
      this.#skipping = false;
      from = newline + 1;
    }
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > from) {
      this.#batcher.addLines(this.#unfinished.written(), from === 0 ? chunk : chunk.subarray(from), end - from);
      this.#forget();
      from = end;
    }
    if (from < chunk.length) this.#remember(chunk.subarray(from));
  }

  /** The stream is not read for a while. What its line lacks may have been written already, so its time stands still. */
  pause(): void {
    this.#stopTimer();
  }

  /** The stream is read again. */
  resume(): void {
    if (this.#isUnfinished) this.#await();
  }

  /** The stream has ended in good order: a last line without a newline is a line. */
  end(): void {
    this.#stopTimer();
    if (this.#unfinished.length > 0) this.#batcher.addLines(this.#unfinished.written(), LAST_NEWLINE, 1);
    this.#forget();
  }

  /** Ships the unfinished line, marked, without waiting for its time-out. */
  cut(): void {
    this.#stopTimer();
    if (this.#unfinished.length > 0) this.#batcher.addFragment(this.#unfinished.written(), RecordFlag.partial);
    this.#forget();
    this.#skipping = false;
  }

  get #isUnfinished(): boolean {
    return this.#skipping || this.#unfinished.length > 0;
  }

  #remember(rest: Buffer): void {
    const { maxLineBytes } = this.#batcher.options;
    const unfinished = this.#unfinished;
    rest.copy(unfinished.reserve(rest.length), unfinished.length);
    unfinished.length += rest.length;
    if (unfinished.length > maxLineBytes) {
      this.#batcher.addFragment(unfinished.written().subarray(0, maxLineBytes), RecordFlag.truncated);
      this.#forget();
      this.#skipping = true;
    }
    if (this.#book()) this.#await();
    else this.cut();
  }

  #forget(): void {
    if (this.#unfinished.bytes.length > KEPT_BYTES) this.#unfinished = new ByteWriter(0);
    this.#unfinished.length = 0;
    this.#book();
  }

  /** Books the memory of the unfinished line; false where there is not so much. */
  #book(): boolean {
    if (this.#budget === undefined) return true;
    const before = this.#bookedBytes;
    this.#bookedBytes = this.#unfinished.length === 0 ? 0 : this.#unfinished.bytes.length;
    return this.#budget.change(before, this.#bookedBytes);
  }

  /** Gives the rest of the line its time, from now. One timer serves many chunks: it is not set anew by each. */
  #await(): void {
    const { clock } = this.#batcher.options;
    this.#lastChunkMs = clock.monotonicMs();
    this.#timer ??= clock.after(this.#partialTimeoutMs, () => this.#checkAge(false));
  }

  #checkAge(isLastCall: boolean): void {
    this.#timer = undefined;
    if (!this.#isUnfinished) return;
    const { clock } = this.#batcher.options;
    const leftMs = this.#lastChunkMs + this.#partialTimeoutMs - clock.monotonicMs();
    if (leftMs > 0) this.#timer = clock.after(leftMs, () => this.#checkAge(false));
    else if (!isLastCall) this.#timer = clock.after(LAST_CALL_MS, () => this.#checkAge(true));
    else this.cut();
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
