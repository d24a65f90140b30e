/** A make-believe journald that writes to a runtime file, flushes it to a persistent one, and goes back, as the real one does. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Root } from './journal_reader.ts';
import { type EntrySpec, JournalWriter } from './journal_writer.ts';

const MACHINE = '0123456789abcdef'.repeat(2);

type Written = Required<Omit<EntrySpec, 'seqnum'>>;

export class FlushingJournald {
  readonly root: Root;
  readonly #persistentPath: string;
  readonly #runtimePath: string;
  readonly #persistent = new JournalWriter();
  #runtime: JournalWriter | undefined;
  /** Entries of the runtime file, and how many of them have been copied. */
  #waiting: Written[] = [];
  #copied = 0;
  #sequences = 0;
  #boots = 0;
  #tick = 0;
  /** True where the next entry cannot have the time of the one before: journald has done something else in between. */
  #hasPaused = true;
  #counter = 0;
  #written = 0;

  /** Begins as at a boot: in the runtime file. */
  constructor(directory: string) {
    this.root = { persistent: join(directory, 'var'), runtime: join(directory, 'run') };
    this.#persistentPath = join(this.root.persistent, MACHINE, 'system.journal');
    this.#runtimePath = join(this.root.runtime, MACHINE, 'system.journal');
    mkdirSync(join(this.root.persistent, MACHINE), { recursive: true });
    mkdirSync(this.root.runtime);
    this.boot();
  }

  /** How many entries there are, copies not counted. */
  get written(): number {
    return this.#written;
  }

  boot(): void {
    this.#remove();
    this.#boots += 1;
    this.#tick = 0;
    this.#counter = 0;
    this.relinquish();
  }

  relinquish(): void {
    if (this.#runtime !== undefined) return;
    this.#hasPaused = true;
    this.#sequences += 1;
    this.#runtime = new JournalWriter({ seqnumId: this.#sequences.toString(16).padStart(32, 'a') });
    mkdirSync(join(this.root.runtime, MACHINE), { recursive: true });
    this.#runtime.save(this.#runtimePath);
  }

  /** Writes an entry; those that are not new in time have the time of the one before. All may have the same text. */
  write(text: string, isNewTime = true): void {
    if (isNewTime || this.#hasPaused) this.#tick += 1;
    this.#hasPaused = false;
    const time = { realtime: 1_700_000_000_000_000 + this.#boots * 1e9 + this.#tick, monotonic: this.#tick };
    const entry = { ...time, bootId: this.#boots.toString(16).padStart(32, 'b'), fields: [`MESSAGE=${text}`] };
    this.#written += 1;
    if (this.#runtime === undefined) return this.#persist(entry);
    this.#counter += 1;
    this.#runtime.append({ ...entry, seqnum: this.#counter }).save(this.#runtimePath);
    this.#waiting.push(entry);
  }

  /** Copies up to `count` entries; when all are copied, the runtime file is removed. */
  flush(count = Infinity): void {
    if (this.#runtime === undefined) return;
    this.#hasPaused = true;
    const end = Math.min(this.#waiting.length, this.#copied + count);
    for (const entry of this.#waiting.slice(this.#copied, end)) this.#persistent.append(entry);
    this.#persistent.save(this.#persistentPath);
    this.#copied = end;
    if (end === this.#waiting.length) this.#remove();
  }

  #persist(entry: Written): void {
    this.#counter = Math.max(this.#counter, this.#persistent.seqnum) + 1;
    this.#persistent.append({ ...entry, seqnum: this.#counter }).save(this.#persistentPath);
  }

  #remove(): void {
    rmSync(join(this.root.runtime, MACHINE), { recursive: true, force: true });
    this.#runtime = undefined;
    this.#waiting = [];
    this.#copied = 0;
  }
}
