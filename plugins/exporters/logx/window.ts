/** What was sent over one session and waits for its ack, in the order in which it was sent. */
import type { Delivery } from '../../../src/core/component.ts';

export interface Sent {
  readonly delivery: Delivery;
  readonly bytes: number;
  readonly sentMs: number;
  /** Not sent at all, because the receiver would not take it; it is settled when what was sent before it is. */
  readonly isSkipped: boolean;
}

export class Window {
  readonly #sent: Sent[] = [];
  #bytes = 0;
  #lastAckMs = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get batches(): number {
    return this.#sent.length;
  }

  add(sent: Sent): void {
    this.#sent.push(sent);
    this.#bytes += sent.bytes;
  }

  find(position: number): Sent | undefined {
    return this.#sent.find(({ delivery }) => delivery.position === position);
  }

  /** Takes out what an ack up to `position` settles, skipped batches behind it included. */
  settle(position: number, nowMs: number): Sent[] {
    let count = 0;
    while (count < this.#sent.length) {
      const next = this.#sent[count]!; // count is below the length
      if (next.delivery.position > position && !next.isSkipped) break;
      this.#bytes -= next.bytes;
      count += 1;
    }
    if (count > 0) this.#lastAckMs = nowMs;
    return this.#sent.splice(0, count);
  }

  /** Takes out everything. */
  clear(): Sent[] {
    this.#bytes = 0;
    return this.#sent.splice(0);
  }

  /** For how long an ack has been owed without any coming; 0 where none is owed. */
  silentMs(nowMs: number): number {
    const oldest = this.#sent[0];
    return oldest === undefined ? 0 : nowMs - Math.max(oldest.sentMs, this.#lastAckMs);
  }
}
