/** What carries a destination's records just now: a session, and the window of what was sent over it and not acked. */
import type { Clock } from '../../../src/core/clock.ts';
import type { Cursor } from '../../../src/core/component.ts';
import type { Address } from '../../../src/kit/options.ts';
import type { FrameCache } from './frame_cache.ts';
import { Session } from './session.ts';
import { type Sent, Window } from './window.ts';

export interface Endpoint {
  /** Name of the destination that it belongs to. */
  readonly name: string;
  readonly address: Address;
  readonly acknowledged: boolean;
}

export interface LinkOptions {
  readonly endpoint: Endpoint;
  /** The mark of records that travel this way; undefined on their own route. */
  readonly mark: string | undefined;
  readonly cursor: Cursor;
  readonly frames: FrameCache;
  readonly maxUnackedBytes: number;
  readonly timeoutMs: number;
  readonly hostName: string;
  readonly clock: Clock;
  readonly events: LinkEvents;
}

export interface LinkEvents {
  /** The receiver is there and takes records. */
  ready(): void;
  /** The receiver is there and takes none. */
  notReady(reason: string): void;
  /** An ack has settled these. */
  acked(settled: readonly Sent[]): void;
  refused(records: number, reason: string): void;
  /** The link is of no use any more; what it had not settled has gone back to the cursor. */
  closed(reason: string, unsettledBatches: number): void;
}

export class Link {
  readonly endpoint: Endpoint;
  readonly #o: LinkOptions;
  readonly #session: Session;
  readonly #window = new Window();
  #isReady = false;
  #isHeld = false;
  #maxFrameBytes = 0;

  constructor(options: LinkOptions) {
    this.#o = options;
    this.endpoint = options.endpoint;
    const { endpoint, timeoutMs, hostName, clock } = options;
    this.#session = new Session({
      address: endpoint.address,
      acknowledged: endpoint.acknowledged,
      timeoutMs,
      hostName,
      clock,
      events: {
        opened: (ready, reason, maxFrameBytes) => {
          this.#maxFrameBytes = maxFrameBytes;
          this.#setReady(ready, reason);
        },
        readiness: (ready, reason) => this.#setReady(ready, reason),
        acked: (id) => this.#onAcked(id),
        refused: (id, records, reason) => this.#onRefused(id, records, reason),
        closed: (reason) => this.#onClosed(reason),
      },
    });
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get window(): Window {
    return this.#window;
  }

  /** Sends what the cursor gives, as far as the receiver is ready and the window has room. */
  pump(): void {
    const { cursor, frames, mark, maxUnackedBytes, clock } = this.#o;
    while (this.#isReady && !this.#isHeld && this.#window.bytes < maxUnackedBytes) {
      const delivery = cursor.next();
      if (delivery === undefined) return;
      const frame = frames.acquire(delivery, mark);
      const isSkipped = frame.bytes.length - frame.linesAt > this.#maxFrameBytes;
      this.#window.add({ delivery, bytes: frame.bytes.length, sentMs: clock.monotonicMs(), isSkipped });
      if (isSkipped) this.#onRefused(delivery.position, delivery.batch.count, 'too_large');
      else this.#session.send(delivery.position, frame);
      if (isSkipped && this.#window.batches === 1) this.#onAcked(delivery.position);
    }
  }

  /** Reads no more from the cursor; acks of what was sent still count. */
  hold(): void {
    this.#isHeld = true;
  }

  close(reason: string): void {
    this.#session.close(reason);
  }

  #setReady(ready: boolean, reason: string): void {
    this.#isReady = ready;
    if (!ready) return this.#o.events.notReady(`${this.endpoint.name} is not ready: ${reason}`);
    this.#o.events.ready();
    this.pump();
  }

  #onAcked(id: number): void {
    const { cursor, frames, mark, clock, events } = this.#o;
    const settled = this.#window.settle(id, clock.monotonicMs());
    const last = settled.at(-1);
    if (last === undefined) return; // an ack that says nothing new
    for (const { delivery } of settled) frames.release(delivery.position, mark);
    events.acked(settled);
    cursor.deliveredThrough(last.delivery.position);
    this.pump();
  }

  #onRefused(id: number, records: number, reason: string): void {
    const sent = this.#window.find(id);
    if (sent === undefined) return;
    this.#o.cursor.refused(sent.delivery, records, reason);
    this.#o.events.refused(records, reason);
  }

  #onClosed(reason: string): void {
    const { cursor, frames, mark, events } = this.#o;
    this.#isReady = false;
    const unsettled = this.#window.clear();
    for (const { delivery } of unsettled) frames.release(delivery.position, mark);
    cursor.rewind();
    events.closed(reason, unsettled.length);
  }
}
