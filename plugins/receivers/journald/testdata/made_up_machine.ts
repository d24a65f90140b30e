/**
 * A make-believe machine whose journald writes as the real one does: to a runtime file at first, which it then copies to the persistent
 * ones; with one counter for the files of the system and of users, which are of one or of several sequences. Files are rotated, the
 * machine boots, and its clock is set.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { epochOf } from '../file/cursor.ts';
import type { Root } from './journal_reader.ts';
import { type EntrySpec, JournalWriter } from './journal_writer.ts';

/** Who writes, and so in which file it is; the first user's is of the system's sequence, the second user's is older than that. */
const SEQUENCE_OF = { system: 0, 'user-1000': 0, 'user-1001': 1 } as const;
export type Writer = keyof typeof SEQUENCE_OF;
export const WRITERS: readonly Writer[] = ['system', 'system', 'user-1000', 'user-1001'];

const START_MICROS = 1_700_000_000_000_000;
const MILLISECOND = 1000;
/** Boots are so far apart that the wall clock tells them apart, though it is set now and then. */
const BETWEEN_BOOTS = 60_000 * MILLISECOND;

/** Where an entry is: one that was copied is in two. */
export interface Place {
  readonly seqnumId: string;
  readonly epoch: string;
  readonly seqnum: number;
}

interface Waiting {
  readonly entry: Omit<EntrySpec, 'seqnum'> & { readonly bootId: string };
  readonly places: Place[];
}

/** A file that is written to. */
interface Current {
  readonly path: string;
  readonly journal: JournalWriter;
}

export class MadeUpMachine {
  readonly number: number;
  readonly #persistent: string;
  readonly #runtime: string;
  /** By name. */
  readonly #current = new Map<string, Current>();
  readonly #unsaved = new Set<Current>();
  #archived = 0;
  #boots = 0;
  #monotonic = 0;
  #clockAtBoot = START_MICROS;
  #counter = 0;
  #persistentCounter = 0;
  /** Entries of the runtime files that are not copied yet; undefined where these were flushed. */
  #waiting: Waiting[] | undefined = [];
  #isFlushing = false;

  /** The first of several has the number 0. */
  constructor(root: Root, number: number) {
    const name = String(number).repeat(32);
    this.number = number;
    [this.#persistent, this.#runtime] = [join(root.persistent, name), join(root.runtime, name)];
    for (const path of [this.#persistent, this.#runtime]) mkdirSync(path, { recursive: true });
    this.boot();
  }

  /** Time goes by; entries between which none does have the same. */
  wait(milliseconds: number): void {
    this.#monotonic += milliseconds * MILLISECOND;
  }

  setClock(byMilliseconds: number): void {
    this.#clockAtBoot += byMilliseconds * MILLISECOND;
  }

  /** What was not flushed is flushed first: with the runtime files it would be lost. */
  boot(): void {
    this.flush();
    this.#clockAtBoot += this.#monotonic + BETWEEN_BOOTS;
    this.#monotonic = 0;
    this.#boots += 1;
    this.#counter = 0;
    this.#waiting = [];
    mkdirSync(this.#runtime, { recursive: true });
  }

  /** Writes an entry, of which readers know when it is saved; returns where it is, which grows when it is copied. */
  write(writer: Writer, fields: readonly string[]): readonly Place[] {
    // journald does nothing else while it copies.
    if (this.#isFlushing) this.flush();
    const bootId = this.#boots.toString(16).padStart(8, String(this.number)).padEnd(32, 'b');
    const entry = { realtime: this.#clockAtBoot + this.#monotonic, monotonic: this.#monotonic, bootId, fields };
    const places: Place[] = [];
    if (this.#waiting === undefined) {
      this.#counter = Math.max(this.#counter, this.#persistentCounter) + 1;
      this.#persist(writer, { entry, places }, this.#counter);
    } else {
      this.#counter += 1;
      this.#append(this.#fileOf('runtime', this.#runtime, 0xa00 + this.#boots), { entry, places }, this.#counter);
      this.#waiting.push({ entry, places });
    }
    return places;
  }

  /** Copies up to `count` entries of the runtime files; when all are copied, these are removed. */
  flush(count = Infinity): void {
    if (this.#waiting === undefined) return;
    this.#isFlushing = true;
    for (const waiting of this.#waiting.splice(0, count)) this.#persist('system', waiting, this.#persistentCounter + 1);
    if (this.#waiting.length > 0) return this.save();
    this.#waiting = undefined;
    this.#isFlushing = false;
    this.wait(1);
    const runtime = this.#current.get('runtime');
    if (runtime !== undefined) this.#unsaved.delete(runtime);
    this.save();
    this.#current.delete('runtime');
    rmSync(this.#runtime, { recursive: true, force: true });
  }

  /** Archives a file that is written to; the next entry begins another. */
  rotate(which: number): void {
    this.save();
    const [name, current] = [...this.#current][which % this.#current.size] ?? [];
    if (name === undefined || current === undefined) return;
    current.journal.archive(current.path, current.path.replace('.journal', `@${(this.#archived += 1)}.journal`));
    this.#current.delete(name);
  }

  /** Lets readers see what was written. */
  save(): void {
    for (const { path, journal } of this.#unsaved) journal.save(path);
    this.#unsaved.clear();
  }

  #persist(writer: Writer, waiting: Waiting, seqnum: number): void {
    this.#persistentCounter = seqnum;
    this.#append(this.#fileOf(writer, this.#persistent, SEQUENCE_OF[writer]), waiting, seqnum);
  }

  #append(file: Current, { entry, places }: Waiting, seqnum: number): void {
    const { seqnumId } = file.journal;
    file.journal.append({ ...entry, seqnum });
    places.push({ seqnumId, epoch: epochOf(seqnumId, entry.bootId), seqnum });
    this.#unsaved.add(file);
  }

  #fileOf(name: string, directory: string, sequence: number): Current {
    const known = this.#current.get(name);
    if (known !== undefined) return known;
    const seqnumId = sequence.toString(16).padStart(32, `${this.number}5`);
    const path = join(directory, `${name === 'runtime' ? 'system' : name}.journal`);
    const begun = { path, journal: new JournalWriter({ seqnumId }) };
    this.#current.set(name, begun);
    return begun;
  }
}
