/**
 * One connection to one receiver: hello, frames, acks. It knows nothing of routes; it reports what happens, once `closed` and then
 * nothing more.
 *
 *     connecting ──▶ greeting ──▶ open ──▶ closed        (plain mode: connecting ──▶ open)
 */
import { connect, type Socket } from 'node:net';
import type { Clock, Timer } from '../../../src/core/clock.ts';
import { describeError, SluiceError } from '../../../src/core/errors.ts';
import { encodeHello, MAX_HELLO_BYTES, parseReceiverHello, PROTOCOL_VERSION } from '../../../src/kit/hello.ts';
import { type Frame, FrameReader } from '../../../src/kit/frames.ts';
import type { Address } from '../../../src/kit/options.ts';
import { formatAddress } from '../../../src/kit/options.ts';
import type { EncodedFrame } from './frame_cache.ts';

/** A receiver sends acks and little else. */
const MAX_RECEIVED_PAYLOAD_BYTES = 0;

const NEWLINE = 0x0a;

export interface SessionOptions {
  readonly address: Address;
  /** False for plain mode: lines and nothing else, delivered as surely as TCP does. */
  readonly acknowledged: boolean;
  /** Time for connecting and the hello together. */
  readonly timeoutMs: number;
  readonly hostName: string;
  readonly clock: Clock;
  readonly events: SessionEvents;
}

export interface SessionEvents {
  /** Batches can be sent. `ready` is what the receiver says of its own store, `maxFrameBytes` the largest payload that it takes. */
  opened(ready: boolean, reason: string, maxFrameBytes: number): void;
  /** The receiver has everything up to and including `id`. */
  acked(id: number): void;
  refused(id: number, records: number, reason: string): void;
  readiness(ready: boolean, reason: string): void;
  /** Nothing that was not acked will be any more. */
  closed(reason: string): void;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #socket: Socket;
  readonly #reader = new FrameReader(MAX_RECEIVED_PAYLOAD_BYTES);
  #greeting: Buffer[] | undefined = [];
  #timer: Timer | undefined;
  #isOpen = false;
  #isClosed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { host, port } = options.address;
    this.#timer = options.clock.after(options.timeoutMs, () => this.close('no answer in time'));
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('error', (error) => this.close(describeError(error)));
    this.#socket.on('end', () => this.close('the receiver closed the connection'));
    this.#socket.on('close', () => this.close('the connection was closed'));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Hands a frame to the connection; its bytes must stay as they are until its ack or until the session is closed. */
  send(id: number, frame: EncodedFrame): void {
    if (this.#options.acknowledged) {
      this.#socket.write(frame.bytes);
      return;
    }
    this.#socket.write(frame.bytes.subarray(frame.linesAt), (error) => {
      if (!error && !this.#isClosed) this.#options.events.acked(id);
    });
  }

  /** Closes at once; what was sent and not acked may or may not have arrived. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isOpen = false;
    this.#timer?.cancel();
    this.#socket.destroy();
    this.#options.events.closed(`${formatAddress(this.#options.address)}: ${reason}`);
  }

  #onConnect(): void {
    if (!this.#options.acknowledged) {
      this.#open(true, '', Infinity);
      return;
    }
    const { hostName } = this.#options;
    this.#socket.write(encodeHello({ version: PROTOCOL_VERSION, role: 'agent', name: hostName }));
  }

  #open(ready: boolean, reason: string, maxFrameBytes: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#greeting = undefined;
    this.#isOpen = true;
    this.#options.events.opened(ready, reason, maxFrameBytes);
  }

  #onData(chunk: Buffer): void {
    if (!this.#options.acknowledged || this.#isClosed) return;
    try {
      const rest = this.#greeting === undefined ? chunk : this.#onGreeting(this.#greeting, chunk);
      for (const frame of this.#reader.push(rest)) if (!this.#isClosed) this.#onFrame(frame);
    } catch (error) {
      this.close(describeError(error));
    }
  }

  /** Gathers the receiver's hello line; returns what came behind it. */
  #onGreeting(greeting: Buffer[], chunk: Buffer): Buffer {
    const newline = chunk.indexOf(NEWLINE);
    greeting.push(newline < 0 ? chunk : chunk.subarray(0, newline));
    const line = Buffer.concat(greeting);
    if (line.length > MAX_HELLO_BYTES) throw notAReceiver();
    if (newline < 0) return Buffer.alloc(0);
    const hello = parseReceiverHello(line.toString('utf8'));
    if (hello === undefined) throw notAReceiver();
    this.#open(hello.ready, hello.reason, hello.max_frame_bytes);
    return chunk.subarray(newline + 1);
  }

  #onFrame({ header }: Frame): void {
    const { events } = this.#options;
    const id = header['id'];
    switch (header['type']) {
      case 'ack':
        if (typeof id !== 'number') throw violation('an ack without an id');
        events.acked(id);
        return;
      case 'refused': {
        const { records, reason } = header;
        if (typeof id !== 'number' || !Array.isArray(records)) throw violation('a refusal without an id or records');
        events.refused(id, records.length, textOf(reason));
        return;
      }
      case 'ready':
        events.readiness(header['ready'] === true, textOf(header['reason']));
        return;
      case 'goodbye':
        this.close('the receiver is stopping');
        return;
      case 'error':
        this.close(`the receiver refused: ${textOf(header['reason'])}`);
        return;
      default: // a later version may say more
    }
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : 'no reason given';
}

function violation(what: string): SluiceError {
  return new SluiceError('protocol_violation', `the receiver sent ${what}`);
}

function notAReceiver(): SluiceError {
  return new SluiceError('protocol_violation', 'the peer did not answer the hello as a receiver', {
    hint: 'set acknowledged: false for a receiver that knows only lines',
  });
}
