/** An agent that sends what a test tells it to, well-formed or not, over any stream. */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { Packr } from 'msgpackr';
import { encodeBatchHead, type Frame, FRAME_PREFIX_BYTES, FrameReader } from '../../../../src/kit/frames.ts';
import { encodeHello, PROTOCOL_VERSION } from '../../../../src/kit/hello.ts';
import { waitFor } from '../../../../test/helpers/wait_for.ts';

const packr = new Packr({ useRecords: false });

export const HELLO = helloOf('web-1');

function helloOf(name: string, boot?: string): string {
  return encodeHello({ version: PROTOCOL_VERSION, role: 'agent', name, boot });
}

/** A whole frame. */
export function encodeBatch(id: number, count: number, payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([encodeBatchHead({ type: 'batch', id, count }, bytes.length), bytes]);
}

/** A whole frame with a header that may be anything. */
export function encodeFrame(header: unknown, payload: Buffer): Buffer {
  const bytes = packr.pack(header);
  const prefix = Buffer.alloc(FRAME_PREFIX_BYTES);
  prefix.writeUInt32LE(bytes.length, 0);
  prefix.writeUInt32LE(payload.length, 4);
  return Buffer.concat([prefix, bytes, payload]);
}

export class FakeAgent {
  readonly stream: Duplex;
  /** First line that came; empty until it has. */
  greeting = '';
  /** Headers of the frames that came after it. */
  readonly received: Frame['header'][] = [];
  isEnded = false;
  isClosed = false;
  #nextId = 1;
  #before = '';
  readonly #reader = new FrameReader(0);
  readonly #sent = new Map<number, string[]>();

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('end', () => {
      this.isEnded = true;
      stream.end();
    });
    stream.on('close', () => (this.isClosed = true));
    stream.on('error', () => {});
  }

  static async connect(port: number): Promise<FakeAgent> {
    const stream = connect({ host: '127.0.0.1', port, noDelay: true });
    const agent = new FakeAgent(stream);
    await waitFor(() => !stream.connecting, { what: `a connection to port ${port}` });
    return agent;
  }

  /** Says hello and resolves when the receiver has answered. */
  async greeted(): Promise<this> {
    this.hello();
    await waitFor(() => this.greeting !== '', { what: 'the receiver to answer the hello' });
    return this;
  }

  /** Ids of the acks that came. */
  get acks(): number[] {
    return this.received.flatMap(({ type, id }) => (type === 'ack' ? [Number(id)] : []));
  }

  /** Batches that were sent and not acked, in order. */
  get unacked(): string[][] {
    const acked = this.acks.at(-1) ?? 0;
    return [...this.#sent].flatMap(([id, lines]) => (id > acked ? [lines] : []));
  }

  /** Whether everything that was sent has left for the receiver. */
  get isFlushed(): boolean {
    return this.stream.writableLength === 0;
  }

  hello(name = 'web-1', boot?: string): void {
    this.stream.write(helloOf(name, boot));
  }

  /** Sends lines as a batch and returns its id. */
  send(lines: readonly string[]): number {
    const id = this.#nextId++;
    this.#sent.set(id, [...lines]);
    this.sendBatch(id, lines.length, lines.map((line) => `${line}\n`).join(''));
    return id;
  }

  /** Sends a frame of this id and count, whatever its payload is. */
  sendBatch(id: number, count: number, payload: string | Buffer): void {
    this.stream.write(encodeBatch(id, count, payload));
  }

  close(): void {
    this.stream.destroy();
  }

  #onData(chunk: Buffer): void {
    let rest = chunk;
    if (this.greeting === '') {
      const text = this.#before + chunk.toString('latin1');
      const end = text.indexOf('\n') + 1;
      if (end === 0) {
        this.#before = text;
        return;
      }
      this.greeting = text.slice(0, end);
      rest = chunk.subarray(end - this.#before.length);
    }
    for (const { header } of this.#reader.push(rest)) this.received.push(header);
  }
}
