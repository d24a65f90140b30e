/** What was sent over one session and waits for its ack, in the order in which it was sent. */
import type { Delivery } from '../../../src/core/component.ts';

export interface Refused {
  /** Indexes in the delivery. */
  readonly records: readonly number[];
  readonly reason: string;
}

/** A frame of one delivery. Most deliveries are one frame; what is larger than a receiver takes is several. */
export interface SentFrame {
  readonly id: number;
  readonly delivery: Delivery;
  /** Whether the delivery is settled with this frame. */
  readonly isLast: boolean;
  /** Index in the delivery of its first record. */
  readonly first: number;
  readonly records: number;
  readonly bytes: number;
  readonly sentMs: number;
  /** What the receiver will not have of the frame, or could not be sent at all. */
  readonly refused: Refused[];
}

export class Window {
  readonly #sent: SentFrame[] = [];
  #bytes = 0;
  #lastAckMs = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#sent.length === 0;
  }

  add(frame: SentFrame): void {
    this.#sent.push(frame);
    this.#bytes += frame.bytes;
  }

  /** The frame of this id; undefined where it was never sent or has been settled. */
  find(id: number): SentFrame | undefined {
    return this.#sent.find((frame) => frame.id === id && frame.records > 0);
  }

  /** Takes out what an ack up to `id` settles. */
  settle(id: number, nowMs: number): SentFrame[] {
    const open = this.#sent.findIndex((frame) => frame.id > id);
    const settled = this.#sent.splice(0, open === -1 ? this.#sent.length : open);
    for (const { bytes } of settled) this.#bytes -= bytes;
    if (settled.length > 0) this.#lastAckMs = nowMs;
    return settled;
  }

  /** Takes out everything. */
  clear(): SentFrame[] {
    this.#bytes = 0;
    return this.#sent.splice(0);
  }

  /** For how long an ack has been owed without any coming; 0 where none is owed. */
  silentMs(nowMs: number): number {
    const oldest = this.#sent[0];
    return oldest === undefined ? 0 : nowMs - Math.max(oldest.sentMs, this.#lastAckMs);
  }
}
