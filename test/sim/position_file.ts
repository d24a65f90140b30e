/** Where a replayable source is read from after a restart: behind the last batch before which everything has settled. */
import { dirname, join } from 'node:path';
import type { Outcome } from '../../src/core/ack.ts';
import type { Clock, Timer } from '../../src/core/clock.ts';
import { errnoOf } from '../../src/core/errors.ts';
import type { File, FileSystem } from '../../src/core/files.ts';

export interface PositionFileOptions {
  readonly files: FileSystem;
  readonly clock: Clock;
  /** Of the receiver; made where it is missing. */
  readonly directory: string;
  /** How long settled batches gather before the position is saved. */
  readonly intervalMs: number;
}

export class PositionFile {
  readonly #options: PositionFileOptions;
  readonly #path: string;
  readonly #pending: { readonly position: number; isSettled: boolean }[] = [];
  #settled = 0;
  #saved = 0;
  #isClosed = false;
  #timer: Timer | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: PositionFileOptions) {
    this.#options = options;
    this.#path = join(options.directory, 'position');
  }

  /** The position saved last; 0 where there is none. Throws the system's error. */
  async load(): Promise<number> {
    const { files } = this.#options;
    await files.makeDirectory(dirname(this.#path));
    let text: string;
    try {
      text = await this.#readAll(await files.open(this.#path, 'read'));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return 0;
    }
    this.#saved = this.#settled = Number(text);
    return this.#saved;
  }

  /** Adds a batch that ends at `position`; the function returned is to be called with its outcome. */
  add(position: number): (outcome: Outcome) => void {
    const pending = { position, isSettled: false };
    this.#pending.push(pending);
    return (outcome) => {
      pending.isSettled = outcome.kind !== 'failed'; // one that failed is offered again, so nothing behind it counts
      this.#advance();
    };
  }

  /** Saves for the last time. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#saving;
    await this.#save();
  }

  #advance(): void {
    while (this.#pending[0]?.isSettled === true) this.#settled = this.#pending.shift()?.position ?? this.#settled;
    if (this.#settled !== this.#saved) this.#saveLater();
  }

  #saveLater(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = this.#options.clock.after(this.#options.intervalMs, () => {
      this.#timer = undefined;
      this.#saving = this.#saving.then(() => this.#save());
    });
  }

  /** Where it fails, it is tried again. */
  async #save(): Promise<void> {
    const { files } = this.#options;
    const position = this.#settled;
    if (position === this.#saved) return;
    try {
      const temporary = `${this.#path}.new`;
      await files.remove(temporary).catch(() => undefined);
      const file = await files.open(temporary, 'create');
      try {
        await file.write([Buffer.from(String(position))], 0);
        await file.sync();
      } finally {
        await file.close();
      }
      await files.rename(temporary, this.#path);
      await files.syncDirectory(dirname(this.#path));
      this.#saved = position;
    } catch {
      this.#saveLater();
    }
  }

  async #readAll(file: File): Promise<string> {
    try {
      const bytes = Buffer.alloc(await file.size());
      await file.read(bytes, 0);
      return bytes.toString();
    } finally {
      await file.close();
    }
  }
}
