/** What was sent over one session and waits for its ack, in the order in which it was sent. */
import type { Parcel } from './parcels.ts';

/** A parcel under way in a frame. */
export interface SentFrame extends Parcel {
  /** That of the frame; of an empty parcel, that of the frame before it. */
  readonly id: number;
  readonly sentMs: number;
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
    this.#bytes += frame.lines.length;
  }

  /** The frame of this id; undefined where it was never sent or has been settled. */
  find(id: number): SentFrame | undefined {
    return this.#sent.find((frame) => frame.id === id && frame.records > 0);
  }

  /** Takes out what an ack up to `id` settles. */
  settle(id: number, nowMs: number): SentFrame[] {
    const open = this.#sent.findIndex((frame) => frame.id > id);
    const settled = this.#sent.splice(0, open === -1 ? this.#sent.length : open);
    for (const { lines } of settled) this.#bytes -= lines.length;
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
