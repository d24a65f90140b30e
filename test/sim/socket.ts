import { Duplex } from 'node:stream';
import type { Incarnation } from './incarnation.ts';
import type { End } from './tcp.ts';

type Done = (error?: Error | null) => void;

/** One end of a simulated connection, as its process sees it: a stream that behaves as one of node:net does. */
export class SimulatedSocket extends Duplex {
  readonly #end: End;
  readonly #incarnation: Incarnation;
  #isConnected: boolean;
  #wantsMore = false;
  /** What was written before the connection was there. */
  #onConnected: (() => void) | undefined;

  constructor(end: End, incarnation: Incarnation, isConnected: boolean) {
    super({ allowHalfOpen: false });
    this.#end = end;
    this.#incarnation = incarnation;
    this.#isConnected = isConnected;
  }

  /** For the kernel: the connection is there. */
  connected(): void {
    if (this.destroyed || this.#isConnected) return;
    this.#isConnected = true;
    this.#onConnected?.();
    this.emit('connect');
  }

  /** For the kernel: something has arrived. */
  bytesArrived(): void {
    if (this.#wantsMore) this._read();
  }

  /** For the kernel: the connection is no more. */
  broken(): void {
    const [code, call] = this.#isConnected ? ['ECONNRESET', 'read'] : ['ECONNREFUSED', 'connect'];
    this.destroy(Object.assign(new Error(`${call} ${code}`), { code }));
  }

  override _read(): void {
    this.#wantsMore = true;
    while (this.#wantsMore && !this.destroyed) {
      const received = this.#end.take();
      if (received === undefined) return;
      this.#wantsMore = this.push(received === 'fin' ? null : received) && received !== 'fin';
    }
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send([chunk], done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Done): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: Done): void {
    this.#whenConnected(() => {
      if (this.#incarnation.operate()) this.#end.finish();
      done();
    });
  }

  override _destroy(error: Error | null, done: Done): void {
    if (this.#incarnation.operate()) this.#end.close();
    done(error);
  }

  #send(pieces: readonly Buffer[], done: Done): void {
    this.#whenConnected(() => {
      if (!this.#incarnation.operate()) return;
      if (this.#end.isClosed) done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      else this.#end.write(pieces, done);
    });
  }

  #whenConnected(run: () => void): void {
    if (this.#isConnected) run();
    else this.#onConnected = run;
  }
}
