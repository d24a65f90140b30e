/** What carries a destination's records just now: a session, and the window of what was sent over it and not acked. */
import type { Cursor, Delivery } from '../../../src/core/component.ts';
import type { Endpoint } from './endpoint.ts';
import type { LineCache } from './line_cache.ts';
import { divideLines } from './line_parts.ts';
import { Session, type SessionSetup, violation } from './session.ts';
import { type SentFrame, Window } from './window.ts';

export const TOO_LARGE = 'too_large';

export interface LinkParts {
  readonly endpoint: Endpoint;
  /** The mark of records that travel this way; undefined on their own route. */
  readonly mark: string | undefined;
  readonly cursor: Cursor;
  readonly cache: LineCache;
  readonly maxUnackedBytes: number;
  /** A receiver that owes an ack and has sent none for this long is in trouble. */
  readonly ackTimeoutMs: number;
  readonly setup: SessionSetup;
  readonly events: LinkEvents;
}

export interface LinkEvents {
  /** What `assess` says may have changed: the receiver is there, or says that it takes records or does not. */
  changed(): void;
  /** These have been acked and are settled. */
  acked(frames: readonly SentFrame[]): void;
  /** The link is of no use any more; what it had not settled has gone back to the cursor. */
  closed(reason: string, unsettledFrames: number): void;
}

/** `unproven`: there is no connection yet, or no ack has come over it while records wait for one. */
export interface Assessment {
  readonly condition: 'good' | 'bad' | 'unproven';
  /** Why it is bad. */
  readonly reason: string;
}

const GOOD: Assessment = { condition: 'good', reason: '' };
const UNPROVEN: Assessment = { condition: 'unproven', reason: '' };

export class Link {
  readonly endpoint: Endpoint;
  readonly #p: LinkParts;
  readonly #session: Session;
  readonly #window = new Window();
  #isOpen = false;
  #isReady = false;
  #notReadyReason = '';
  #isHeld = false;
  #maxFrameBytes = 0;
  /** Ids of frames count up from 1 in each session. */
  #lastId = 0;
  #ackedId = 0;

  constructor(parts: LinkParts) {
    this.#p = parts;
    this.endpoint = parts.endpoint;
    this.#session = new Session(parts.endpoint, parts.setup, {
      opened: (ready, reason, maxFrameBytes) => {
        this.#isOpen = true;
        this.#maxFrameBytes = maxFrameBytes;
        this.#setReady(ready, reason);
      },
      readiness: (ready, reason) => this.#setReady(ready, reason),
      acked: (id) => this.#onAcked(id),
      refused: (id, records, reason) => this.#onRefused(id, records, reason),
      closed: (reason) => this.#onClosed(reason),
    });
  }

  /** Whether the receiver is there and says that it takes records. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Sent and not acked. */
  get unackedBytes(): number {
    return this.#window.bytes;
  }

  /** Whether everything that was sent has been acked. */
  get isDrained(): boolean {
    return this.#window.isEmpty;
  }

  /** For how long an ack has been owed without any coming, in milliseconds; 0 where none is owed. */
  get silentMs(): number {
    return this.#window.silentMs(this.#p.setup.clock.monotonicMs());
  }

  /** How it does now. */
  assess(): Assessment {
    const { ackTimeoutMs, cursor } = this.#p;
    const { name } = this.endpoint;
    if (!this.#isOpen) return UNPROVEN;
    if (!this.#isReady) return { condition: 'bad', reason: `${name} is not ready: ${this.#notReadyReason}` };
    const { silentMs } = this;
    if (silentMs > ackTimeoutMs) {
      return { condition: 'bad', reason: `${name} has acknowledged nothing for ${(silentMs / 1000).toFixed(1)} s` };
    }
    return this.#ackedId > 0 || cursor.isEmpty ? GOOD : UNPROVEN;
  }

  /** Sends what the cursor gives, as far as the receiver is ready and the window has room. */
  pump(): void {
    const { cursor, maxUnackedBytes } = this.#p;
    while (this.#isReady && !this.#isHeld && this.#window.bytes < maxUnackedBytes) {
      const delivery = cursor.next();
      if (delivery === undefined) return;
      this.#send(delivery);
    }
  }

  /** Reads no more from the cursor; acks of what was sent still count. */
  hold(): void {
    this.#isHeld = true;
  }

  close(reason: string): void {
    this.#session.close(reason);
  }

  #send(delivery: Delivery): void {
    const lines = this.#p.cache.acquire(delivery, this.#p.mark);
    if (lines.length <= this.#maxFrameBytes) {
      this.#sendFrame(delivery, lines, 0, delivery.batch.count, true);
      return;
    }
    const { parts, tooLong } = divideLines(lines, this.#maxFrameBytes);
    for (const { bytes, first, records } of parts) this.#sendFrame(delivery, bytes, first, records, false);
    // What no frame may hold is refused on the receiver's behalf, and settled when what was sent before it is.
    const refused = tooLong.length === 0 ? [] : [{ records: tooLong, reason: TOO_LARGE }];
    this.#window.add({ ...this.#nothingSent(delivery), refused });
    this.#settle();
  }

  #sendFrame(delivery: Delivery, lines: Buffer, first: number, records: number, isLast: boolean): void {
    this.#lastId += 1;
    this.#window.add({ ...this.#nothingSent(delivery), isLast, first, records, bytes: lines.length });
    this.#session.send(this.#lastId, records, lines);
  }

  /** An entry of the window that is settled together with what was sent last. */
  #nothingSent(delivery: Delivery): SentFrame {
    const sentMs = this.#p.setup.clock.monotonicMs();
    return { id: this.#lastId, delivery, isLast: true, first: 0, records: 0, bytes: 0, sentMs, refused: [] };
  }

  #setReady(ready: boolean, reason: string): void {
    this.#isReady = ready;
    this.#notReadyReason = reason;
    this.#p.events.changed();
    this.pump();
  }

  #onAcked(id: number): void {
    if (!Number.isInteger(id) || id < 0 || id > this.#lastId) throw violation(`an ack of batch ${id}, which it was not sent`);
    if (id <= this.#ackedId) return;
    this.#ackedId = id;
    this.#settle();
    this.pump();
  }

  #onRefused(id: number, records: readonly number[], reason: string): void {
    const frame = this.#window.find(id);
    if (frame === undefined) throw violation(`a refusal of batch ${id}, which does not wait for an ack`);
    const known = new Set(frame.refused.flatMap((refused) => refused.records));
    const isIndex = (index: number): boolean => Number.isInteger(index) && index >= 0 && index < frame.records;
    const indexes = records.map((index) => frame.first + index);
    if (!records.every(isIndex) || new Set([...known, ...indexes]).size < known.size + records.length)
      throw violation(`a refusal of records that batch ${id} does not have, or of some twice`);
    if (records.length > 0) frame.refused.push({ records: indexes, reason });
  }

  #settle(): void {
    const { cursor, cache, mark, setup, events } = this.#p;
    const frames = this.#window.settle(this.#ackedId, setup.clock.monotonicMs());
    if (frames.length === 0) return;
    for (const { delivery, isLast, refused } of frames) {
      for (const { records, reason } of refused) {
        cursor.refused(delivery, records, { reason: reason === TOO_LARGE ? TOO_LARGE : 'refused', detail: reason, attempts: 1 });
      }
      if (isLast) cache.release(delivery, mark);
    }
    const last = frames.findLast(({ isLast }) => isLast);
    if (last !== undefined) cursor.deliveredThrough(last.delivery.position);
    events.acked(frames);
  }

  #onClosed(reason: string): void {
    const { cursor, cache, mark, events } = this.#p;
    this.#isReady = false;
    const unsettled = this.#window.clear();
    for (const { delivery, isLast } of unsettled) if (isLast) cache.release(delivery, mark);
    cursor.rewind();
    events.closed(reason, unsettled.length);
  }
}
