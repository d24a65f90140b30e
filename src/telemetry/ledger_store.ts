/**
 * Keeps the ledger on disk, so that its totals go on over restarts. The file is replaced as a whole, at most once a second while
 * there is something to say, and a last time at an orderly end. A process that is killed therefore leaves a ledger of a moment at
 * most a second before its end; what became of the records that were held in that moment, `Ledger.restore` works out.
 *
 * A disk that takes no writes costs the ledger its memory and nothing else: saving is tried again each second.
 */
import type { Clock, Timer } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import type { FileSystem } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { Recovery, SpoolMark } from '../core/spool_mark.ts';
import { readWhole, replaceFile } from '../kit/replace_file.ts';
import type { Ledger } from './ledger.ts';
import { decodeLedger, EMPTY_LEDGER, encodeLedger, type SavedLedger } from './ledger_file.ts';

const SAVE_INTERVAL_MS = 1000;

export interface LedgerStoreOptions {
  /** `<state_directory>/ledger.json`; its directory exists. */
  readonly path: string;
  readonly ledger: Ledger;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly log: Log;
  /** How far the spools have come, by pipeline; saved with the totals of the same moment. */
  readonly marks: () => ReadonlyMap<string, SpoolMark>;
}

export class LedgerStore {
  readonly #options: LedgerStoreOptions;
  #loaded: SavedLedger = EMPTY_LEDGER;
  /** What the file says; empty where that is not known. */
  #savedText = '';
  #timer: Timer | undefined;
  #isStarted = false;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: LedgerStoreOptions) {
    this.#options = options;
  }

  /**
   * Reads what was saved. A damaged file is moved aside, to `<path>.damaged`, and the totals begin anew; both are told in the log.
   * Throws the system's error where the file is there and cannot be read.
   */
  async load(): Promise<void> {
    const { path, files, log } = this.#options;
    const bytes = await readWhole(files, path);
    if (bytes === undefined) return;
    try {
      this.#loaded = decodeLedger(bytes.toString('utf8'));
    } catch (error) {
      const aside = `${path}.damaged`;
      await files.rename(path, aside);
      log.error('the ledger is damaged; its totals begin anew', { path, moved_to: aside, reason: describeError(error) });
    }
  }

  /** How far the spool of a pipeline had come when the ledger was saved last. */
  markOf(pipeline: string): SpoolMark | undefined {
    return this.#loaded.marks.get(pipeline);
  }

  /** Gives the ledger what was loaded, and what the spools have found. */
  restore(recoveries: readonly Recovery[]): void {
    const { ledger, log } = this.#options;
    for (const { receiver, found, dropped } of ledger.restore(this.#loaded, recoveries)) {
      if (Object.keys(dropped).length > 0)
        log.warn('the spool does not hold all that it held when the ledger was last saved', { receiver, found, dropped });
      else log.info('the spool holds records that came after the ledger was last saved', { receiver, found });
    }
    this.#loaded = EMPTY_LEDGER;
  }

  /** Begins to save. The first time at once, so that from here on the file does not speak of an orderly end. */
  async start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    await this.#save(false);
    this.#schedule();
  }

  /** Saves a last time. The ledger must not change after that, and what it holds must be on disk. */
  async stop(): Promise<void> {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.#timer?.cancel();
    await this.#saving;
    await this.#save(true);
  }

  #schedule(): void {
    if (!this.#isStarted) return;
    this.#timer = this.#options.clock.after(SAVE_INTERVAL_MS, () => {
      this.#saving = this.#save(false).then(() => this.#schedule());
    });
  }

  /** Saves where there is something new to say. Never throws. */
  async #save(isClean: boolean): Promise<void> {
    const { ledger, path, files, log, marks } = this.#options;
    const text = encodeLedger({ isClean, accounts: ledger.toSave(), marks: marks() });
    if (text === this.#savedText) return;
    this.#savedText = '';
    try {
      await replaceFile(files, path, Buffer.from(text));
      this.#savedText = text;
    } catch (error) {
      log.warn('the ledger cannot be saved; a restart would take it up as it was saved last', {
        path,
        reason: describeError(error),
      });
    }
  }
}
