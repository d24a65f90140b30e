/**
 * One agent's connection. The first line decides how it goes on:
 *
 *     greeting ── hello line ──▶ frames: batches in, acks out
 *        └────── other line ───▶ lines: plain mode, no acks
 *
 * Acks are cumulative: they go over the batches that have settled, from the oldest on without a gap.
 */
import type { Socket } from 'node:net';
import type { Outcome } from '../../../src/core/ack.ts';
import type { Timer } from '../../../src/core/clock.ts';
import type { Readiness, ReceiverContext } from '../../../src/core/component.ts';
import { describeError, SluiceError } from '../../../src/core/errors.ts';
import { ByteWriter } from '../../../src/kit/byte_writer.ts';
import { encodeMessage, type Frame, FrameReader, type ReceiverMessage } from '../../../src/kit/frames.ts';
import { encodeHello, HELLO_FORMAT, parseAgentHello, PROTOCOL_VERSION } from '../../../src/kit/hello.ts';
import type { Cfjs1Events } from './events.ts';
import type { Cfjs1Options } from './index.ts';
import { MIN_LINE_BYTES, parseLines } from './line_batches.ts';

const NEWLINE = 0x0a;

/** How long a peer that was refused, or told goodbye, has to read why. */
const LINGER_MS = 1000;

interface Received {
  readonly id: number;
  isSettled: boolean;
}

export interface ConnectionParts {
  readonly options: Cfjs1Options;
  readonly context: ReceiverContext;
  readonly events: Cfjs1Events;
  closed(): void;
}

export class Connection {
  readonly #socket: Socket;
  readonly #p: ConnectionParts;
  readonly #peer: string;
  /** The start of a line that is not complete yet, in the greeting and in plain mode. */
  readonly #unfinished = new ByteWriter(0);
  #frames: FrameReader | undefined;
  #isPlain = false;
  /** Batches that were received and not acked, oldest first. */
  readonly #received: Received[] = [];
  #isReading = true;
  #isClosing = false;
  #timer: Timer | undefined;

  constructor(socket: Socket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#p = parts;
    this.#peer = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? '?'}`;
    const { clock } = parts.context;
    this.#timer = clock.after(parts.options.greeting_timeout, () => this.#refuse('no first line in time'));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#isClosing = true;
      this.#timer?.cancel();
      parts.closed();
    });
  }

  /** Takes nothing more; acks of what was taken still go out. */
  stopReading(): void {
    this.#isReading = false;
    this.#socket.pause();
  }

  /** Says goodbye and closes. */
  goodbye(): void {
    if (this.#frames === undefined) this.#closeAfter('');
    else this.#closeAfter(encodeMessage({ type: 'goodbye' }));
  }

  /** Tells an agent that the receiver's own store takes records, or that it does not. */
  tellReadiness({ ready, reason }: Readiness): void {
    this.#send({ type: 'ready', ready, reason });
  }

  #onData(chunk: Buffer): void {
    if (this.#isClosing) return;
    try {
      if (this.#frames !== undefined) this.#onFrames(this.#frames, chunk);
      else this.#onLines(chunk);
    } catch (error) {
      this.#refuse(describeError(error));
      return;
    }
    const room = this.#p.context.whenRoom();
    if (room === undefined) return;
    this.#socket.pause();
    void room.then(() => {
      if (this.#isReading) this.#socket.resume();
    });
  }

  #onLines(chunk: Buffer): void {
    const unfinished = this.#unfinished;
    let from = 0;
    if (!this.#isPlain) {
      const newline = chunk.indexOf(NEWLINE);
      if (newline < 0) return this.#remember(chunk);
      const first = Buffer.concat([unfinished.written(), chunk.subarray(0, newline + 1)]);
      this.#timer?.cancel();
      if (first.includes(HELLO_FORMAT) && this.#onHello(first)) {
        if (newline + 1 < chunk.length) this.#onFrames(this.#frames!, chunk.subarray(newline + 1)); // set by the hello
        return;
      }
      this.#isPlain = true;
    }
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const lines = Buffer.concat([unfinished.written(), chunk.subarray(0, end)]);
      unfinished.length = 0;
      from = end;
      this.#onPlainLines(lines);
    }
    this.#remember(chunk.subarray(from));
  }

  #remember(rest: Buffer): void {
    const { max_line_bytes } = this.#p.options;
    const unfinished = this.#unfinished;
    if (unfinished.length + rest.length > max_line_bytes) throw violation(`a line of more than ${max_line_bytes} bytes`);
    rest.copy(unfinished.reserve(rest.length), unfinished.length);
    unfinished.length += rest.length;
  }

  #onHello(line: Buffer): boolean {
    const { options, context } = this.#p;
    const hello = parseAgentHello(line.toString('utf8'));
    if (hello === undefined) return false;
    this.#frames = new FrameReader(options.max_frame_bytes);
    const { ready, reason } = context.readiness();
    const { name, max_frame_bytes } = options;
    this.#socket.write(encodeHello({ version: PROTOCOL_VERSION, role: 'receiver', name, ready, reason, max_frame_bytes }));
    return true;
  }

  #onPlainLines(lines: Buffer): void {
    const { context } = this.#p;
    const parsed = parseLines(lines, countLines(lines), {
      receiver: context.id,
      nowMicros: context.clock.wallMicros(),
      settled: ignore,
    });
    for (const batch of parsed.batches) context.emit(batch);
    for (const [reason] of parsed.refused) throw violation(`a line that is not cfjs1 (${reason})`);
  }

  #onFrames(frames: FrameReader, chunk: Buffer): void {
    for (const frame of frames.push(chunk)) this.#onFrame(frame);
  }

  #onFrame({ header, payload }: Frame): void {
    const { type, id, count } = header;
    if (type !== 'batch') return; // a later version may say more
    if (!isCount(id) || !isCount(count)) throw violation('a batch without an id or a count');
    const last = this.#received.at(-1);
    if (last !== undefined && id <= last.id) throw violation('a batch whose id does not grow');
    if (count > payload.length / MIN_LINE_BYTES) throw violation(`a batch of ${count} lines in ${payload.length} bytes`);
    if (payload.length > 0 && payload.at(-1) !== NEWLINE) throw violation('a batch whose last line does not end');
    this.#onBatch(id, count, payload);
  }

  #onBatch(id: number, count: number, payload: Buffer): void {
    const { context, events } = this.#p;
    const received: Received = { id, isSettled: false };
    const parsed = parseLines(payload, count, {
      receiver: context.id,
      nowMicros: context.clock.wallMicros(),
      settled: (outcome) => this.#onSettled(received, outcome),
    });
    if (parsed.lines !== count) {
      for (const batch of parsed.batches) batch.settle({ kind: 'failed', reason: 'protocol violation' });
      throw violation(`a batch of ${count} lines that has another number of them`);
    }
    events.batch();
    this.#received.push(received);
    for (const [reason, records] of parsed.refused) {
      events.refusedRecords(this.#peer, records.length, reason);
      this.#send({ type: 'refused', id, records, reason });
    }
    if (parsed.batches.length === 0) this.#onSettled(received, { kind: 'rejected', reason: 'no line was cfjs1' });
    for (const batch of parsed.batches) context.emit(batch);
  }

  /** A batch that failed is not acked: the agent keeps it and, since the connection ends, offers it again. */
  #onSettled(received: Received, outcome: Outcome): void {
    if (outcome.kind === 'failed') {
      if (this.#received.includes(received)) this.goodbye();
      return;
    }
    received.isSettled = true;
    let acked = -1;
    while (this.#received[0]?.isSettled === true) acked = this.#received.shift()!.id; // there is a first one
    if (acked >= 0) this.#send({ type: 'ack', id: acked });
  }

  /** In plain mode a last line without a newline is a line; frames that are not complete are not acked. */
  #onEnd(): void {
    try {
      if (this.#isPlain && this.#unfinished.length > 0) this.#onLines(Buffer.from('\n'));
    } catch (error) {
      this.#p.events.refusedConnection(this.#peer, describeError(error));
    }
  }

  #send(message: ReceiverMessage): void {
    if (this.#frames !== undefined && !this.#isClosing) this.#socket.write(encodeMessage(message));
  }

  #refuse(reason: string): void {
    this.#p.events.refusedConnection(this.#peer, reason);
    const isFramed = this.#frames !== undefined;
    this.#closeAfter(
      isFramed
        ? encodeMessage({ type: 'error', reason })
        : `${JSON.stringify({ format: 'sluice.error', 'sluice.error': { reason } })}\n`,
    );
  }

  /** Sends the last words and closes, at the latest once the peer has had time to read them. */
  #closeAfter(lastWords: string | Buffer): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#timer?.cancel();
    this.#timer = this.#p.context.clock.after(LINGER_MS, () => this.#socket.destroy());
    this.#socket.end(lastWords);
    this.#socket.resume(); // what still comes is thrown away, so that the peer gets to read
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function violation(what: string): SluiceError {
  return new SluiceError('protocol_violation', `the peer sent ${what}`);
}

function ignore(): void {}
