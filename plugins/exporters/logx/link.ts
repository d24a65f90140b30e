/** What carries a destination's records just now: a session, and the window of what was sent over it and not acked. */
import type { Endpoint } from './endpoint.ts';
import type { Outbox } from './outbox.ts';
import type { Parcel } from './parcels.ts';
import { Ramp } from './ramp.ts';
import { Session, type SessionSetup, violation } from './session.ts';
import { NO_TERMS, type Terms } from './terms.ts';
import type { Trigger, Trouble } from './trouble.ts';
import { type SentFrame, Window } from './window.ts';

export interface LinkParts {
  readonly endpoint: Endpoint;
  /** The mark of records that travel this way; undefined on their own route. */
  readonly mark: string | undefined;
  readonly outbox: Outbox;
  readonly maxUnackedBytes: number;
  /** A receiver that owes an ack and has sent none for this long is in trouble. */
  readonly ackTimeoutMs: number;
  readonly setup: SessionSetup;
  readonly events: LinkEvents;
}

export interface LinkEvents {
  /** What `assess` says may have changed: the receiver is there, or says that it takes records, or does not. */
  changed(): void;
  /** The receiver does not offer the compression that the endpoint is to have. */
  uncompressed(): void;
  /** These have been acked and are settled. */
  acked(frames: readonly SentFrame[]): void;
  /** The link is of no use any more; what it had not settled has gone back to the outbox. */
  closed(end: LinkEnd): void;
}

export interface LinkEnd {
  readonly reason: string;
  /** Undefined where the link was closed by choice. */
  readonly trigger: Trigger | undefined;
  readonly unsettledFrames: number;
}

const STOPPING = 'it is stopping';

/** Ends that the receiver, or something between, has brought about, so that what was under way may be to blame. */
const BLAMED: readonly (Trigger | undefined)[] = ['closed', 'protocol', 'refused', 'tls'];

/** `unproven`: there is no connection yet, or no ack has come over it while records wait for one. */
export type Assessment =
  | { readonly condition: 'good' | 'unproven' }
  /** It does not take records. */
  | ({ readonly condition: 'bad' } & Trouble);

function bad(trigger: Trigger, reason: string): Assessment {
  return { condition: 'bad', trigger, reason };
}

const GOOD: Assessment = { condition: 'good' };
const UNPROVEN: Assessment = { condition: 'unproven' };

export class Link {
  readonly endpoint: Endpoint;
  readonly #p: LinkParts;
  readonly #session: Session;
  readonly #window = new Window();
  readonly #ramp: Ramp;
  #isOpen = false;
  #isReady = false;
  #notReadyReason = '';
  #isHeld = false;
  #isLeaving = false;
  #terms: Terms = NO_TERMS;
  /** Ids of frames count up from 1 in each session. */
  #lastId = 0;
  #ackedId = 0;

  constructor(parts: LinkParts) {
    this.#p = parts;
    this.endpoint = parts.endpoint;
    this.#ramp = new Ramp(parts.maxUnackedBytes);
    this.#session = new Session(parts.endpoint, parts.setup, {
      opened: (ready, reason, terms) => {
        this.#isOpen = true;
        this.#terms = terms;
        if (terms.compression !== parts.endpoint.compression) parts.events.uncompressed();
        this.#setReady(ready, reason);
      },
      readiness: (ready, reason) => this.#setReady(ready, reason),
      acked: (id) => this.#onAcked(id),
      refused: (id, records, reason) => this.#onRefused(id, records, reason),
      goodbye: () => this.#onGoodbye(),
      closed: (reason, trigger) => this.#onClosed(reason, trigger),
    });
  }

  /** Whether the receiver is there and says that it takes records. */
  get isReady(): boolean {
    return this.#isReady && !this.#isLeaving;
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
    if (!this.#isOpen) return UNPROVEN;
    const { silentMs } = this;
    const isSilent = silentMs > this.#p.ackTimeoutMs;
    // A receiver that is stopping has said so, and goes on to ack for as long as it does.
    if (this.#isLeaving) return isSilent ? bad('goodbye', STOPPING) : UNPROVEN;
    if (!this.#isReady) return bad('not_ready', `it is not ready: ${this.#notReadyReason}`);
    if (isSilent) {
      const since = `for ${(silentMs / 1000).toFixed(1)} s`;
      if (this.#session.queuedBytes > 0)
        return bad('write_stall', `it has neither taken all that it was sent nor acknowledged anything ${since}`);
      return bad('ack_timeout', `it has acknowledged nothing ${since}`);
    }
    return this.#ackedId > 0 || this.#p.outbox.isEmpty ? GOOD : UNPROVEN;
  }

  /** Sends what there is, as far as the receiver is ready and the window has room. */
  pump(): void {
    const { outbox, mark } = this.#p;
    while (this.isReady && !this.#isHeld && this.#window.bytes < this.#ramp.limitBytes) {
      const parcels = outbox.next(mark, this.#terms, this.#lastId === 0);
      if (parcels === undefined) return;
      if (parcels === 'anew') {
        this.close('records are sent one by one');
        return;
      }
      for (const parcel of parcels) this.#send(parcel);
      this.#settle(); // what is not sent at all, and waits for nothing
    }
  }

  /** Reads no more from the outbox; acks of what was sent still count. */
  hold(): void {
    this.#isHeld = true;
  }

  close(reason: string, trigger?: Trigger): void {
    this.#session.close(reason, trigger);
  }

  #send(parcel: Parcel): void {
    if (parcel.records > 0) this.#lastId += 1;
    this.#window.add({ ...parcel, id: this.#lastId, sentMs: this.#p.setup.clock.monotonicMs() });
    if (parcel.records > 0) this.#session.send(this.#lastId, parcel);
  }

  #setReady(ready: boolean, reason: string): void {
    this.#isReady = ready;
    this.#notReadyReason = reason;
    this.#p.events.changed();
    this.pump();
  }

  /** What the receiver still acks need not be sent twice. */
  #onGoodbye(): void {
    this.#isLeaving = true;
    if (this.isDrained) this.#leave();
    else this.#p.events.changed();
  }

  #leave(): void {
    this.close(STOPPING, 'goodbye');
  }

  #onAcked(id: number): void {
    if (!Number.isInteger(id) || id < 0 || id > this.#lastId) throw violation(`an ack of batch ${id}, which it was not sent`);
    if (id <= this.#ackedId) return;
    this.#ackedId = id;
    this.#settle();
    if (this.#isLeaving && this.isDrained) this.#leave();
    else this.pump();
  }

  #onRefused(id: number, records: readonly number[], reason: string): void {
    const frame = this.#window.find(id);
    if (frame === undefined) throw violation(`a refusal of batch ${id}, which does not wait for an ack`);
    const known = new Set(frame.refused.flatMap((refused) => refused.records));
    const isIndex = (index: number): boolean => Number.isInteger(index) && index >= 0 && index < frame.records;
    const indexes = records.map((index) => frame.first + index);
    if (!records.every(isIndex) || new Set([...known, ...indexes]).size < known.size + records.length)
      throw violation(`a refusal of records that batch ${id} does not have, or of some twice`);
    // Where it stands in for another one, it is well to know who refused.
    const detail = this.#p.mark === undefined ? reason : `${this.#terms.receiver}: ${reason}`;
    if (records.length > 0) frame.refused.push({ records: indexes, reason: 'refused', detail, attempts: frame.attempts });
  }

  #settle(): void {
    const frames = this.#window.settle(this.#ackedId, this.#p.setup.clock.monotonicMs());
    if (frames.length === 0) return;
    this.#ramp.acked(frames.reduce((sum, { lines }) => sum + lines.length, 0));
    this.#p.outbox.settled(this.#p.mark, frames);
    this.#p.events.acked(frames);
  }

  #onClosed(reason: string, trigger: Trigger | undefined): void {
    const isGoodbye = this.#isLeaving && trigger !== undefined;
    const end = isGoodbye ? { reason: STOPPING, trigger: 'goodbye' as const } : { reason, trigger };
    const unsettled = this.#window.clear();
    const wasReady = this.#isReady;
    this.#isReady = false;
    this.#p.outbox.returned(this.#p.mark, unsettled, wasReady && BLAMED.includes(end.trigger));
    this.#p.events.closed({ ...end, unsettledFrames: unsettled.length });
  }
}
