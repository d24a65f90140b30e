/** Acknowledged mode: batches in; acks, refusals and readiness out. */
import { Ack, DELIVERED, type Outcome } from '../../../src/core/ack.ts';
import type { Readiness } from '../../../src/core/component.ts';
import { describeError } from '../../../src/core/errors.ts';
import { decompressPayload } from '../../../src/kit/compression.ts';
import { encodeMessage, type Frame, FrameReader, MAX_REFUSED_RECORDS, type ReceiverMessage } from '../../../src/kit/frames.ts';
import { type AgentHello, encodeHello, PROTOCOL_VERSION } from '../../../src/kit/hello.ts';
import { AckQueue, type OpenBatch } from './ack_queue.ts';
import { MIN_LINE_BYTES, parseLines } from './line_batches.ts';
import { type Mode, type ModeParts, violation } from './mode.ts';
import { Passage } from './passage.ts';
import type { Carrier } from './seen_records.ts';

const NEWLINE = 0x0a;

/** What the mode does to its connection. */
export interface FramesOutput {
  write(bytes: string | Buffer): void;
  /** Takes nothing more from the peer and calls `leave`, so that the peer goes elsewhere with what has not been acked. */
  leave(): void;
  /** Closes the connection. */
  close(): void;
}

export class FramesMode implements Mode {
  /** Tells the agent's ids from those of others, and from its own of the time before its host was started. */
  readonly #agent: string;
  readonly #p: ModeParts;
  readonly #output: FramesOutput;
  /** Undefined once goodbye has been said, or why the connection is closed; nothing more is taken then. */
  #reader: FrameReader | undefined;
  readonly #acks = new AckQueue();
  #lastId = -1;
  /** The ack that is due at the end of this turn of the event loop, if any. */
  #ackDue: number | undefined;
  #isToldReady: boolean;

  /** Answers the agent's hello. */
  constructor({ boot, name: agentName }: AgentHello, parts: ModeParts, output: FramesOutput) {
    const { options, context, memory } = parts;
    const { name, max_frame_bytes, compression } = options;
    const { ready, reason } = context.readiness();
    this.#agent = `${boot ?? ''}\n${agentName}`;
    this.#p = parts;
    this.#output = output;
    this.#reader = new FrameReader(max_frame_bytes, (bytes) => memory.payloads.take(bytes));
    this.#isToldReady = ready;
    output.write(encodeHello({ version: PROTOCOL_VERSION, role: 'receiver', name, ready, reason, max_frame_bytes, compression }));
  }

  get heldBytes(): number {
    return this.#reader?.heldBytes ?? 0;
  }

  take(chunk: Buffer): void {
    for (const frame of this.#reader?.push(chunk) ?? []) if (this.#reader !== undefined) this.#onFrame(frame);
  }

  /** A frame that is not complete is not acked, and so comes again. */
  end(): void {}

  /** Tells the agent whether the receiver's own store takes records, where that is news to it. */
  tellReadiness({ ready, reason }: Readiness): void {
    if (ready === this.#isToldReady || this.#reader === undefined) return;
    this.#isToldReady = ready;
    this.#send({ type: 'ready', ready, reason });
  }

  /** Says goodbye. Nothing more is taken, while acks of what was taken still go out; after the last of them the connection is closed. */
  leave(): void {
    if (this.#reader === undefined) return;
    this.#reader = undefined;
    this.#sendDueAck();
    this.#send({ type: 'goodbye' });
    this.#closeWhenDone();
  }

  /** Begins with the ack that is due. */
  lastWords(refusedBecause: string | undefined): string | Buffer {
    this.#sendDueAck();
    const hasLeft = this.#reader === undefined;
    this.#reader = undefined;
    if (refusedBecause !== undefined) return encodeMessage({ type: 'error', reason: refusedBecause });
    return hasLeft ? '' : encodeMessage({ type: 'goodbye' });
  }

  #onFrame({ header, payload }: Frame): void {
    const { type, id, count } = header;
    if (type !== 'batch') return; // a later version may say more
    if (!isCount(id) || !isCount(count)) throw violation('a batch without an id or a count');
    if (id <= this.#lastId) throw violation('a batch whose id does not grow');
    const lines = this.#linesOf(header, payload);
    if (count > lines.length / MIN_LINE_BYTES) throw violation(`a batch of ${count} lines in ${lines.length} bytes`);
    if (lines.length > 0 && lines.at(-1) !== NEWLINE) throw violation('a batch whose last line does not end');
    this.#lastId = id;
    this.#onBatch(id, count, lines);
  }

  /** The lines of a batch, which may be compressed. */
  #linesOf({ compression, size }: Frame['header'], payload: Buffer): Buffer {
    if (compression === undefined) return payload;
    const { options, memory } = this.#p;
    if (!options.compression.some((offered) => offered === compression)) throw violation('a compression that it was not offered');
    if (!isCount(size) || size === 0 || size > options.max_frame_bytes) {
      throw violation(`a compressed batch without a size from 1 to ${options.max_frame_bytes}`);
    }
    const lines = decompressPayload(payload, size);
    memory.payloads.give(payload);
    return lines;
  }

  #onBatch(id: number, count: number, lines: Buffer): void {
    const passage = new Passage(lines, this.#agent, this.#p.seen);
    try {
      this.#emitLines(id, count, lines, passage);
    } catch (error) {
      passage.settle({ kind: 'failed', reason: describeError(error) });
      throw error;
    }
    this.#ackAfter(this.#acks.add(id), [passage, ...passage.awaited]);
  }

  #emitLines(id: number, count: number, lines: Buffer, passage: Passage): void {
    const { peer, context, events, memory } = this.#p;
    const parsed = parseLines(lines, count, {
      receiver: context.id,
      nowMicros: context.clock.wallMicros(),
      maxLineBytes: Infinity,
      settled: (outcome) => passage.settle(outcome),
      passage,
      memory,
    });
    if (parsed.lines !== count) throw violation(`a batch of ${count} lines that has another number of them`);
    events.batch(parsed.copies);
    for (const [reason, records] of parsed.refused) {
      events.refusedRecords(peer, records.length, reason);
      for (let from = 0; from < records.length; from += MAX_REFUSED_RECORDS)
        this.#send({ type: 'refused', id, records: records.slice(from, from + MAX_REFUSED_RECORDS), reason });
    }
    for (const batch of parsed.batches) context.emit(batch);
    if (parsed.batches.length === 0) passage.settle(DELIVERED);
  }

  /** The batch may be acked when its own records are stored, and the first copies of those that were left out. */
  #ackAfter(open: OpenBatch, carriers: readonly Carrier[]): void {
    const parts = new Ack((outcome) => this.#onSettled(open, outcome)).split(carriers.length);
    for (const [index, carrier] of carriers.entries()) {
      carrier.follow((outcome) => parts[index]!.settle(outcome)); // there is a part for each
    }
  }

  /** A batch that failed is not acked, nor is any behind it: the agent keeps them and, since it is told to leave, offers them elsewhere. */
  #onSettled(open: OpenBatch, outcome: Outcome): void {
    if (outcome.kind === 'failed') {
      open.state = 'failed';
      this.#output.leave();
      this.#closeWhenDone();
      return;
    }
    const id = this.#acks.settle(open);
    if (id === undefined) return;
    if (this.#ackDue === undefined) queueMicrotask(() => this.#sendAck());
    this.#ackDue = id;
  }

  #sendAck(): void {
    this.#sendDueAck();
    this.#closeWhenDone();
  }

  #sendDueAck(): void {
    const id = this.#ackDue;
    this.#ackDue = undefined;
    if (id !== undefined) this.#send({ type: 'ack', id });
  }

  #closeWhenDone(): void {
    if (this.#reader === undefined && this.#acks.isDone) this.#output.close();
  }

  #send(message: ReceiverMessage): void {
    this.#output.write(encodeMessage(message));
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
