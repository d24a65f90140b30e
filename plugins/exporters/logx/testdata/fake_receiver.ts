/** A log-x receiver that does what a test tells it to, over any stream. */
import type { Duplex } from 'node:stream';
import { decompressPayload } from '../../../../src/kit/compression.ts';
import { encodeMessage, FrameReader, type ReceiverMessage } from '../../../../src/kit/frames.ts';
import { encodeHello, encodeRefusal, PROTOCOL_VERSION } from '../../../../src/kit/hello.ts';

export interface FakeBatch {
  readonly id: number;
  readonly lines: readonly string[];
  /** How many bytes came; fewer than the lines have, where they were compressed. */
  readonly payloadBytes: number;
}

export interface FakeScript {
  /** True for a receiver that knows lines and nothing else; it stores them. Default false. */
  readonly isPlain: boolean;
  /** What it answers to the first line; default a hello. */
  onHello: (connection: FakeConnection) => void;
  /** Default: stores the lines and acks. */
  onBatch: (connection: FakeConnection, batch: FakeBatch) => void;
}

export interface FakeHello {
  readonly ready?: boolean;
  readonly maxFrameBytes?: number;
  /** Default: left out. */
  readonly compression?: string[];
}

export const FAKE_HELLO = helloOf({});

function helloOf({ ready = true, maxFrameBytes = 2 ** 25, compression }: FakeHello): string {
  const reason = ready ? '' : 'the store is full';
  const hello = { version: PROTOCOL_VERSION, role: 'receiver', name: 'fake', ready, reason } as const;
  return encodeHello({ ...hello, max_frame_bytes: maxFrameBytes, compression });
}

export class FakeReceiver {
  readonly script: FakeScript;
  /** Lines of all batches that were stored, in order. */
  readonly stored: string[] = [];
  /** Connections that are open now, oldest first. */
  readonly open: FakeConnection[] = [];
  /** Connections taken so far. */
  connections = 0;

  constructor(script: Partial<FakeScript> = {}) {
    this.script = {
      isPlain: script.isPlain ?? false,
      onHello: script.onHello ?? ((connection) => connection.hello()),
      onBatch: script.onBatch ?? ((connection, batch) => connection.storeAndAck(batch)),
    };
  }

  /** Messages of the stored records, in order. */
  get messages(): string[] {
    return this.stored.map(messageOf);
  }

  accept(stream: Duplex): void {
    this.connections += 1;
    const connection = new FakeConnection(stream, this);
    this.open.push(connection);
    stream.on('close', () => this.open.splice(this.open.indexOf(connection), 1));
  }

  /** Ends every open connection at once, as the end of its process would. */
  dropAll(): void {
    for (const { stream } of this.open) stream.destroy(); // which leaves the list in a later turn
  }
}

export class FakeConnection {
  readonly stream: Duplex;
  readonly receiver: FakeReceiver;
  readonly batches: FakeBatch[] = [];
  /** The agent's first line. */
  greeting = '';
  readonly #reader = new FrameReader(2 ** 28);
  #isGreeted = false;
  #unfinished = '';

  constructor(stream: Duplex, receiver: FakeReceiver) {
    this.stream = stream;
    this.receiver = receiver;
    stream.on('error', () => stream.destroy());
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
  }

  hello(hello: FakeHello = {}): void {
    this.stream.write(helloOf(hello));
  }

  /** Refuses the connection instead of saying hello. */
  refuse(reason: string): void {
    this.stream.end(encodeRefusal(reason));
  }

  send(message: ReceiverMessage): void {
    this.stream.write(encodeMessage(message));
  }

  storeAndAck({ id, lines }: FakeBatch): void {
    this.receiver.stored.push(...lines);
    this.send({ type: 'ack', id });
  }

  #onData(chunk: Buffer): void {
    if (this.receiver.script.isPlain) this.#onText(chunk.toString('utf8'));
    else this.#onBytes(chunk);
  }

  #onText(text: string): void {
    const lines = (this.#unfinished + text).split('\n');
    this.#unfinished = lines.pop() ?? '';
    this.receiver.stored.push(...lines);
  }

  #onBytes(chunk: Buffer): void {
    let rest = chunk;
    if (!this.#isGreeted) {
      const end = chunk.indexOf('\n') + 1;
      this.greeting += chunk.toString('utf8', 0, end === 0 ? chunk.length : end);
      if (end === 0) return;
      this.#isGreeted = true;
      this.receiver.script.onHello(this);
      rest = chunk.subarray(end);
    }
    for (const { header, payload } of this.#reader.push(rest)) {
      if (this.stream.destroyed) return;
      const size = header['size'];
      const lines = header['compression'] === 'zstd' ? decompressPayload(payload, Number(size)) : payload;
      const batch = {
        id: Number(header['id']),
        lines: lines.toString('utf8').split('\n').slice(0, -1),
        payloadBytes: payload.length,
      };
      this.batches.push(batch);
      this.receiver.script.onBatch(this, batch);
    }
  }
}

/** The message of a line whose wrapper has one. */
export function messageOf(line: string): string {
  const parsed: unknown = JSON.parse(line);
  const record: unknown = Object.values(Object(parsed)).find((value) => typeof value === 'object');
  return String(Object(record).message);
}

/** The dead-letter mark of a line; undefined where it has none. */
export function markOf(line: string): string | undefined {
  const { destination } = Object(JSON.parse(line));
  return typeof destination === 'string' ? destination : undefined;
}
