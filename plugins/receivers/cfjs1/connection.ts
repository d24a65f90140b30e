/**
 * One agent's connection. The first line decides how it goes on:
 *
 *     greeting ── hello line ──▶ frames: batches in, acks out ── goodbye ──▶ leaving: acks of what was taken ──▶ closed
 *        └────── other line ───▶ lines: plain mode, no acks ──────────────────────────────────────────────────────▶ closed
 *
 * A chunk of bytes is taken only when the engine has room and the peer reads what it is sent, so that neither the records of a fast
 * peer nor the acks for one that does not read pile up here.
 */
import type { Duplex } from 'node:stream';
import type { Timer } from '../../../src/core/clock.ts';
import type { Readiness } from '../../../src/core/component.ts';
import { SluiceError } from '../../../src/core/errors.ts';
import type { BufferBudget } from '../../../src/kit/buffer_budget.ts';
import { encodeRefusal, MAX_HELLO_BYTES, parseAgentHello } from '../../../src/kit/hello.ts';
import { FramesMode } from './frames_mode.ts';
import { LinesMode } from './lines_mode.ts';
import { type Mode, type ModeParts, violation } from './mode.ts';
import { UnfinishedLine } from './unfinished_line.ts';

const NEWLINE = 0x0a;

/** What a line may begin with, an empty one included; nothing else is worth waiting for its end. */
const LINE_BEGINNINGS = Buffer.from('{ \t\r\n');

/** How long a peer that was refused, or told goodbye, has to read why. */
const LINGER_MS = 1000;

export interface ConnectionParts extends ModeParts {
  readonly budget: BufferBudget;
  closed(): void;
}

export class Connection {
  readonly #socket: Duplex;
  readonly #p: ConnectionParts;
  readonly #greeting: UnfinishedLine;
  /** Undefined until the first line has come. */
  #mode: Mode | undefined;
  /** Bytes that have come and wait for room. */
  #waiting: Buffer | undefined;
  #bufferedBytes = 0;
  #isLeaving = false;
  #isClosing = false;
  #timer: Timer;

  constructor(socket: Duplex, parts: ConnectionParts) {
    this.#socket = socket;
    this.#p = parts;
    this.#greeting = new UnfinishedLine(parts.options.max_line_bytes);
    this.#timer = parts.context.clock.after(parts.options.greeting_timeout, () => this.#close('no first line in time'));
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#timer.cancel();
      this.#book(0);
      parts.closed();
    });
  }

  /**
   * Takes nothing more, but for plain lines that have come already. An agent is told goodbye; acks of what was taken still go out to it,
   * and after the last of them the connection is closed.
   */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#takeLastLines();
    this.#socket.resume(); // what still comes is thrown away, so that the end of the peer is noticed
    if (!(this.#mode instanceof FramesMode)) this.close();
    else this.#mode.leave();
    this.#book(0);
  }

  /** Says goodbye, where that has not been said, and closes. */
  close(): void {
    this.#close(undefined);
  }

  /** Tells an agent whether the receiver's own store takes records, where that is news to it. */
  tellReadiness(readiness: Readiness): void {
    if (this.#mode instanceof FramesMode) this.#mode.tellReadiness(readiness);
  }

  #onData(chunk: Buffer): void {
    if (this.#isLeaving || this.#isClosing) return;
    if (this.#mode === undefined) this.#guard(() => this.#onGreeting(chunk));
    else this.#takeWhenRoom(this.#mode, chunk);
  }

  /** Finds out which mode the connection is in. A hello is answered even when there is no room for batches. */
  #onGreeting(chunk: Buffer): void {
    const greeting = this.#greeting;
    if (greeting.isEmpty && !LINE_BEGINNINGS.includes(chunk[0] ?? NaN)) throw violation('something that is not cfjs1');
    if (!chunk.includes(NEWLINE)) {
      greeting.keep(chunk);
      this.#book(greeting.heldBytes);
      return;
    }
    this.#timer.cancel();
    const all = greeting.complete(chunk);
    const end = all.indexOf(NEWLINE) + 1;
    const hello = end > MAX_HELLO_BYTES ? undefined : parseAgentHello(all.toString('utf8', 0, end));
    this.#mode = hello === undefined ? new LinesMode(this.#p) : new FramesMode(hello, this.#p, this.#output());
    this.#takeWhenRoom(this.#mode, hello === undefined ? all : all.subarray(end));
  }

  #takeWhenRoom(mode: Mode, chunk: Buffer): void {
    const obstacle = this.#obstacle();
    if (obstacle === undefined) {
      this.#take(mode, chunk);
      return;
    }
    this.#waiting = chunk;
    this.#socket.pause();
    void obstacle.then(() => this.#takeWaiting(mode));
  }

  /** Resolves when it is worth looking again whether more may be taken; undefined when it may now. */
  #obstacle(): Promise<unknown> | undefined {
    const socket = this.#socket;
    if (!socket.writableNeedDrain) return this.#p.context.whenRoom();
    return new Promise((resolve) => {
      socket.once('drain', resolve);
    });
  }

  #takeWaiting(mode: Mode): void {
    const chunk = this.#waiting;
    if (chunk === undefined) return; // it was taken without room, or let go
    const obstacle = this.#obstacle();
    if (obstacle !== undefined) {
      void obstacle.then(() => this.#takeWaiting(mode));
      return;
    }
    this.#waiting = undefined;
    this.#take(mode, chunk);
    this.#socket.resume();
  }

  #onEnd(): void {
    this.#guard(() => {
      if (this.#mode === undefined && !this.#greeting.isEmpty) this.#onGreeting(Buffer.of(NEWLINE));
      this.#takeLastLines();
      this.#mode?.end();
    });
    this.close();
  }

  /** Of what waits for room, batches come again since they are not acked; lines would be lost, and are taken without room. */
  #takeLastLines(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined && this.#mode instanceof LinesMode) this.#take(this.#mode, waiting);
  }

  #take(mode: Mode, chunk: Buffer): void {
    if (this.#isClosing) return;
    this.#guard(() => {
      mode.take(chunk);
      if (!this.#socket.closed) this.#book(mode.heldBytes);
    });
  }

  #output() {
    return {
      write: (bytes: string | Buffer) => {
        if (this.#socket.writable) this.#socket.write(bytes);
      },
      leave: () => this.leave(),
      close: () => this.close(),
    };
  }

  /** Books the memory that what has come only in part takes. Throws a SluiceError `peer_refused` where that is more than there is. */
  #book(bytes: number): void {
    const before = this.#bufferedBytes;
    this.#bufferedBytes = bytes;
    if (this.#p.budget.change(before, bytes)) return;
    throw new SluiceError('peer_refused', 'the receiver has no memory left for what has come only in part', { transient: true });
  }

  /** Runs what depends on what the peer sent; where that throws, the connection is refused, and nothing else happens. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof SluiceError)) this.#p.events.failed(this.#p.peer, error);
      this.#close(error instanceof SluiceError ? error.message : 'internal error');
    }
  }

  /** Sends the last words and closes, at the latest once the peer has had time to read them. */
  #close(refusedBecause: string | undefined): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    if (refusedBecause !== undefined) this.#p.events.refusedConnection(this.#p.peer, refusedBecause);
    this.#timer.cancel();
    if (this.#socket.closed) return; // there is nobody to say anything to
    this.#timer = this.#p.context.clock.after(LINGER_MS, () => this.#socket.destroy());
    this.#socket.end(this.#lastWords(refusedBecause));
    this.#book(0);
    this.#socket.resume(); // what still comes is thrown away, so that the peer gets to read
  }

  #lastWords(refusedBecause: string | undefined): string | Buffer {
    if (this.#mode !== undefined) return this.#mode.lastWords(refusedBecause);
    this.#greeting.clear();
    return refusedBecause === undefined ? '' : encodeRefusal(refusedBecause);
  }
}
