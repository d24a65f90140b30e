/**
 * One connection to one receiver: hello, frames, acks. It knows nothing of routes; it reports what happens, once `closed` and then
 * nothing more.
 *
 *     connecting ──▶ securing ──▶ greeting ──▶ open ──▶ closed
 *
 * Without TLS there is nothing to secure, and in plain mode nobody greets.
 */
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../../src/core/clock.ts';
import { errnoOf, SluiceError, describeError } from '../../../src/core/errors.ts';
import { encodeBatchHead, type Frame, FrameReader } from '../../../src/kit/frames.ts';
import { encodeHello, MAX_HELLO_BYTES, parseReceiverHello, parseRefusal, PROTOCOL_VERSION } from '../../../src/kit/hello.ts';
import { explainTlsError } from '../../../src/kit/tls.ts';
import type { Dial, Endpoint } from './endpoint.ts';
import type { Parcel } from './parcels.ts';
import { agree, NO_TERMS, type Terms } from './terms.ts';
import type { Trigger } from './trouble.ts';

/** A receiver sends acks and little else. */
const MAX_RECEIVED_PAYLOAD_BYTES = 0;

const NEWLINE = 0x0a;

/** What sessions of one agent have in common. */
export interface SessionSetup {
  readonly dial: Dial;
  readonly clock: Clock;
  /** The agent's name in its hello. */
  readonly hostName: string;
  /** Which boot of its host the agent belongs to; undefined where that is not known. */
  readonly boot: string | undefined;
  /** Time for connecting, TLS and the hello together. */
  readonly timeoutMs: number;
}

export interface SessionEvents {
  /** Batches can be sent, on these terms. `ready` is what the receiver says of its own store. */
  opened(ready: boolean, reason: string, terms: Terms): void;
  /** The receiver says that it has everything up to and including `id`, or throws a SluiceError where that cannot be. */
  acked(id: number): void;
  /** The receiver says that it will not have `records`, indexes in batch `id`; throws a SluiceError where that cannot be. */
  refused(id: number, records: readonly number[], reason: string): void;
  readiness(ready: boolean, reason: string): void;
  /** The receiver is stopping: it takes nothing more, and goes on to ack what it has taken. */
  goodbye(): void;
  /** Nothing that was not acked will be any more. `trigger` is undefined where it was closed by this side's own choice. */
  closed(reason: string, trigger: Trigger | undefined): void;
}

type Stage = 'connecting' | 'securing' | 'greeting' | 'open';

/** What an end, or the end of the patience, means at each stage. */
const ENDS: Record<Stage, { readonly trigger: Trigger; readonly tooLate: string }> = {
  connecting: { trigger: 'connect', tooLate: 'no connection in time' },
  securing: { trigger: 'tls', tooLate: 'no TLS handshake in time' },
  greeting: { trigger: 'hello', tooLate: 'no answer to the hello in time' },
  open: { trigger: 'closed', tooLate: 'no answer in time' },
};

export class Session {
  readonly #endpoint: Endpoint;
  readonly #setup: SessionSetup;
  readonly #events: SessionEvents;
  readonly #socket: Duplex;
  readonly #reader = new FrameReader(MAX_RECEIVED_PAYLOAD_BYTES);
  /** The receiver's first line as far as it has come; undefined once it has been read. */
  #greeting: Buffer | undefined = Buffer.alloc(0);
  #stage: Stage = 'connecting';
  readonly #timer: Timer;
  #isClosed = false;

  constructor(endpoint: Endpoint, setup: SessionSetup, events: SessionEvents) {
    this.#endpoint = endpoint;
    this.#setup = setup;
    this.#events = events;
    this.#timer = setup.clock.after(setup.timeoutMs, () => this.#end(ENDS[this.#stage].tooLate));
    this.#socket = setup.dial(endpoint.address, endpoint.tls);
    this.#socket.on('connect', () => (endpoint.tls === undefined ? this.#onConnect() : (this.#stage = 'securing')));
    this.#socket.on('secureConnect', () => this.#onConnect());
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('error', (error) => this.#onError(error));
    this.#socket.on('end', () => this.#onEnd('the receiver closed the connection'));
    this.#socket.on('close', () => this.#onEnd('the connection was closed'));
  }

  /** What was given to be sent and has not left this host, in bytes. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends the lines of a parcel; its bytes must stay as they are until the ack or until the session is closed. */
  send(id: number, { records: count, lines, compressed }: Parcel): void {
    if (this.#endpoint.acknowledged) {
      const how = compressed === undefined ? {} : ({ compression: 'zstd', size: lines.length } as const);
      const payload = compressed ?? lines;
      this.#socket.cork();
      this.#socket.write(encodeBatchHead({ type: 'batch', id, count, ...how }, payload.length));
      this.#socket.write(payload);
      this.#socket.uncork();
      return;
    }
    this.#socket.write(lines, (error) => {
      if (!error && !this.#isClosed) this.#events.acked(id);
    });
  }

  /** Closes at once; what was sent and not acked may or may not have arrived. */
  close(reason: string, trigger?: Trigger): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer.cancel();
    this.#socket.destroy();
    this.#events.closed(reason, trigger);
  }

  #end(reason: string): void {
    this.close(reason, ENDS[this.#stage].trigger);
  }

  /** A receiver that does not trust this agent's certificate need not say so before it closes; Sluice's does not. */
  #onEnd(reason: string): void {
    const isGreeted = this.#stage === 'open' || this.#stage === 'connecting';
    if (this.#endpoint.tls === undefined || isGreeted) this.#end(reason);
    else this.#end(`${reason} and did not answer the hello; if it does not trust this agent's certificate, its log says so`);
  }

  #onError(error: Error): void {
    const code = errnoOf(error);
    if (this.#endpoint.tls === undefined || code === 'ECONNRESET' || code === 'EPIPE') this.#onEnd(describeError(error));
    // What the peer thinks of our certificate comes after the handshake, as far as this side can see.
    else this.close(explainTlsError(error), code?.startsWith('ERR_SSL') ? 'tls' : ENDS[this.#stage].trigger);
  }

  #onConnect(): void {
    const { hostName: name, boot } = this.#setup;
    this.#stage = 'greeting';
    if (!this.#endpoint.acknowledged) this.#open(true, '', NO_TERMS);
    else this.#socket.write(encodeHello({ version: PROTOCOL_VERSION, role: 'agent', name, boot }));
  }

  #open(ready: boolean, reason: string, terms: Terms): void {
    this.#timer.cancel();
    this.#stage = 'open';
    this.#greeting = undefined;
    this.#events.opened(ready, reason, terms);
  }

  #onData(chunk: Buffer): void {
    if (!this.#endpoint.acknowledged || this.#isClosed) return;
    try {
      const rest = this.#greeting === undefined ? chunk : this.#onGreeting(this.#greeting, chunk);
      for (const frame of this.#reader.push(rest)) if (!this.#isClosed) this.#onFrame(frame);
    } catch (error) {
      this.close(describeError(error), error instanceof SluiceError && error.code === 'peer_refused' ? 'refused' : 'protocol');
    }
  }

  /** Gathers the receiver's first line; returns what came behind it. */
  #onGreeting(before: Buffer, chunk: Buffer): Buffer {
    const newline = chunk.indexOf(NEWLINE);
    const line = Buffer.concat([before, newline < 0 ? chunk : chunk.subarray(0, newline)]);
    if (line.length > MAX_HELLO_BYTES) throw notAReceiver();
    if (newline < 0) {
      this.#greeting = line;
      return Buffer.alloc(0);
    }
    const text = line.toString('utf8');
    const refusal = parseRefusal(text);
    if (refusal !== undefined) throw refusedBecause(refusal);
    const hello = parseReceiverHello(text);
    if (hello === undefined) throw notAReceiver();
    this.#open(hello.ready, hello.reason, agree(hello, this.#endpoint.compression));
    return chunk.subarray(newline + 1);
  }

  #onFrame({ header }: Frame): void {
    const { id, records, reason } = header;
    switch (header['type']) {
      case 'ack':
        if (typeof id !== 'number') throw violation('an ack without an id');
        this.#events.acked(id);
        return;
      case 'refused':
        if (typeof id !== 'number' || !isNumbers(records)) throw violation('a refusal without an id or records');
        this.#events.refused(id, records, textOf(reason));
        return;
      case 'ready':
        this.#events.readiness(header['ready'] === true, textOf(reason));
        return;
      case 'goodbye':
        this.#events.goodbye();
        return;
      case 'error':
        throw refusedBecause(textOf(reason));
      default: // a later version may say more
    }
  }
}

/** An error of a receiver that sends what it must not; the session is then closed. */
export function violation(what: string): SluiceError {
  return new SluiceError('protocol_violation', `the receiver sent ${what}`);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : 'no reason given';
}

function refusedBecause(reason: string): SluiceError {
  return new SluiceError('peer_refused', `the receiver refused: ${reason}`);
}

function notAReceiver(): SluiceError {
  return new SluiceError('protocol_violation', 'the peer did not answer the hello as a receiver', {
    hint: 'set acknowledged: false for a receiver that knows only lines',
  });
}
