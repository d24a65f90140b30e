import { Unpackr } from 'msgpackr';
import { encodeMessage, FRAME_PREFIX_BYTES } from '../../src/kit/frames.ts';
import { encodeHello, PROTOCOL_VERSION } from '../../src/kit/hello.ts';

const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);

/** A receiver in acknowledged mode that keeps nothing: it counts the records of each frame and acks it once it is complete. */
export class FrameCounter {
  readonly #write: (message: Buffer | string) => void;
  readonly #counted: (records: number) => void;
  readonly #unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });
  #isGreeted = false;
  #head: Buffer = NOTHING;
  #batch: { id: number; count: number } | undefined;
  #payloadLeft = 0;

  constructor(write: (message: Buffer | string) => void, counted: (records: number) => void) {
    this.#write = write;
    this.#counted = counted;
  }

  push(chunk: Buffer): void {
    let acked = -1;
    for (let at = 0; at < chunk.length;) {
      if (this.#batch === undefined) {
        at = this.#takeHead(chunk, at);
      } else {
        const taken = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= taken;
        at += taken;
      }
      if (this.#batch === undefined || this.#payloadLeft > 0) continue;
      this.#counted(this.#batch.count);
      acked = this.#batch.id;
      this.#batch = undefined;
    }
    if (acked >= 0) this.#write(encodeMessage({ type: 'ack', id: acked }));
  }

  /** Takes the hello line or the head of a frame; what is not complete is kept for the next chunk. */
  #takeHead(chunk: Buffer, at: number): number {
    const kept = this.#head.length;
    const head = kept === 0 ? chunk.subarray(at) : Buffer.concat([this.#head, chunk.subarray(at)]);
    const end = this.#isGreeted ? headEnd(head) : head.indexOf(NEWLINE) + 1;
    if (end === 0 || end > head.length) {
      this.#head = Buffer.from(head);
      return chunk.length;
    }
    this.#head = NOTHING;
    if (this.#isGreeted) {
      const { id, count } = this.#unpackr.unpack(head.subarray(FRAME_PREFIX_BYTES, end));
      this.#batch = { id, count };
      this.#payloadLeft = head.readUInt32LE(4);
    } else {
      this.#isGreeted = true;
      const hello = { role: 'receiver', name: 'sink', ready: true, reason: '', max_frame_bytes: 2 ** 28 } as const;
      this.#write(encodeHello({ version: PROTOCOL_VERSION, ...hello }));
    }
    return at + end - kept;
  }
}

function headEnd(head: Buffer): number {
  return head.length < FRAME_PREFIX_BYTES ? 0 : FRAME_PREFIX_BYTES + head.readUInt32LE(0);
}
