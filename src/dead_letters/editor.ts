/**
 * Takes letters out of a store, for commands: to send them again, or for good. May run beside the agent, of which it needs nothing but to
 * let go of the file that it writes, and after which it works on closed files only (names.ts has the rules).
 */
import { join } from 'node:path';
import { type Clock, sleep } from '../core/clock.ts';
import { errnoOf, SluiceError } from '../core/errors.ts';
import type { FileLock, FileSystem } from '../core/files.ts';
import { ByteWriter } from '../kit/byte_writer.ts';
import {
  agentLockOf,
  editLockOf,
  inboxName,
  inboxOf,
  isClosedName,
  isOpenName,
  isTemporaryName,
  requestOf,
  temporaryName,
} from './names.ts';
import { closeLeftOpen } from './open_file.ts';
import { namesOfInbox, visitFile } from './reading.ts';
import { isEverything, isSelected, type Selection } from './selection.ts';

export interface EditorOptions {
  readonly directory: string;
  readonly files: FileSystem;
  readonly clock: Clock;
}

export interface Taken {
  /** Letters that were taken, by destination. */
  readonly letters: ReadonlyMap<string, number>;
  /** Lines that are no letters and were removed. */
  readonly unreadable: number;
}

/** How long the agent is waited for; it looks once a second. */
const ANSWER_MS = 10_000;
const LOOK_MS = 50;

/** What becomes of one file. */
interface Parts {
  /** By destination, lines with their newlines. */
  readonly chosen: ReadonlyMap<string, ByteWriter>;
  readonly letters: ReadonlyMap<string, number>;
  readonly unreadable: number;
  readonly rest: ByteWriter;
}

export class LetterEditor {
  /** Whether an agent has the store. */
  readonly isAgentRunning: boolean;
  readonly #options: EditorOptions;
  readonly #lock: FileLock;
  #lastMicros = 0;

  private constructor(options: EditorOptions, lock: FileLock, isAgentRunning: boolean) {
    this.#options = options;
    this.#lock = lock;
    this.isAgentRunning = isAgentRunning;
  }

  /** Throws a SluiceError where another command is at work, or the agent does not answer; nothing has been changed then. */
  static async begin(options: EditorOptions): Promise<LetterEditor> {
    const { files, directory } = options;
    const lock = await files.lock(editLockOf(directory));
    if (lock === undefined) {
      throw new SluiceError('path_conflict', `another command is at work on the dead letters in ${directory}`, {
        hint: 'try again when it has ended',
        transient: true,
      });
    }
    try {
      await removeTemporaries(files, directory);
      await removeTemporaries(files, inboxOf(directory));
      return new LetterEditor(options, lock, await closeOpenFile(options));
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Moves letters into the inbox, from where the agent sends them. */
  async replay(selection: Selection): Promise<Taken> {
    return this.#takeAll(async (name) => {
      const parts = await this.#part(name, selection, false);
      for (const [destination, lines] of parts.chosen) await this.#putIntoInbox(destination, lines.written());
      return parts;
    });
  }

  /** Removes letters for good, and where the selection is everything, also lines that are none. */
  async purge(selection: Selection): Promise<Taken> {
    return this.#takeAll((name) => this.#part(name, selection, isEverything(selection)));
  }

  /** Lets other commands at it, and has the agent look at what there is now. */
  async end(): Promise<void> {
    if (this.isAgentRunning) await makeRequest(this.#options);
    await this.#lock.release();
  }

  /** What `take` has seen to of a file is removed from it, file by file. */
  async #takeAll(take: (name: string) => Promise<Parts>): Promise<Taken> {
    const { files, directory } = this.#options;
    const letters = new Map<string, number>();
    let unreadable = 0;
    for (const name of (await files.list(directory)).filter(isClosedName).sort()) {
      const parts = await take(name);
      if (parts.letters.size === 0 && parts.unreadable === 0) continue;
      await this.#leave(name, parts.rest.written());
      for (const [destination, count] of parts.letters) letters.set(destination, (letters.get(destination) ?? 0) + count);
      unreadable += parts.unreadable;
    }
    return { letters, unreadable };
  }

  async #part(name: string, selection: Selection, isAll: boolean): Promise<Parts> {
    const { files, directory } = this.#options;
    const chosen = new Map<string, ByteWriter>();
    const letters = new Map<string, number>();
    const rest = new ByteWriter(4096);
    let unreadable = 0;
    await visitFile(files, directory, name, {
      letter(letter) {
        const { destination } = letter.head;
        if (!isSelected(letter, selection)) return addLine(rest, letter.bytes);
        const lines = chosen.get(destination) ?? new ByteWriter(4096);
        chosen.set(destination, lines);
        letters.set(destination, (letters.get(destination) ?? 0) + 1);
        addLine(lines, letter.bytes);
      },
      unreadable(bytes) {
        if (isAll) unreadable += 1;
        else addLine(rest, bytes);
      },
    });
    return { chosen, letters, unreadable, rest };
  }

  async #putIntoInbox(destination: string, lines: Buffer): Promise<void> {
    const { files, directory } = this.#options;
    const inbox = inboxOf(directory);
    const taken = await namesOfInbox(files, inbox);
    let micros = this.#newMicros();
    while (taken.includes(inboxName(micros, destination))) micros = this.#newMicros();
    await this.#writeWhole(inbox, inboxName(micros, destination), lines);
  }

  /** Leaves `rest` of a closed file. Where the agent has removed the file meanwhile, that much of it is there again. */
  async #leave(name: string, rest: Buffer): Promise<void> {
    const { files, directory } = this.#options;
    if (rest.length > 0) return this.#writeWhole(directory, name, rest);
    try {
      await files.remove(join(directory, name));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    await files.syncDirectory(directory);
  }

  /** Makes or replaces a file in one step that a crash does not divide. */
  async #writeWhole(directory: string, name: string, content: Buffer): Promise<void> {
    const { files } = this.#options;
    const temporary = join(directory, temporaryName(this.#newMicros()));
    const file = await files.open(temporary, 'create');
    try {
      await file.write([content], 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, join(directory, name));
    await files.syncDirectory(directory);
  }

  #newMicros(): number {
    this.#lastMicros = Math.max(this.#options.clock.wallMicros(), this.#lastMicros + 1);
    return this.#lastMicros;
  }
}

function addLine(writer: ByteWriter, line: Buffer): void {
  writer.append(line);
  writer.append(NEWLINE);
}

const NEWLINE = Buffer.from('\n');

/** Removes what a command has left that was stopped half-way. */
async function removeTemporaries(files: FileSystem, directory: string): Promise<void> {
  await files.makeDirectory(directory);
  for (const name of (await files.list(directory)).filter(isTemporaryName)) await files.remove(join(directory, name));
}

/** Sees to it that every letter there is now is in a closed file; gives whether an agent has the store. */
async function closeOpenFile(options: EditorOptions): Promise<boolean> {
  const { files, directory, clock } = options;
  const endMs = clock.monotonicMs() + ANSWER_MS;
  for (let isAsked = false; ; isAsked = true) {
    const lock = await files.lock(agentLockOf(directory));
    if (lock !== undefined) {
      // No agent, or none any more: what is open is what a crash has left.
      try {
        await closeLeftOpen(files, directory);
      } finally {
        await lock.release();
      }
      return false;
    }
    const names = await files.list(directory);
    const isAnswered = isAsked && !names.includes('request');
    if (isAnswered || !names.some(isOpenName)) return true;
    if (!isAsked) await makeRequest(options);
    if (clock.monotonicMs() >= endMs) {
      throw new SluiceError(
        'store_unavailable',
        `the agent has not closed the file of dead letters that it writes in ${directory}`,
        {
          hint: 'nothing was changed; see whether the agent hangs, and try again, also when it has been stopped',
          transient: true,
        },
      );
    }
    await sleep(clock, LOOK_MS);
  }
}

async function makeRequest({ files, directory }: EditorOptions): Promise<void> {
  try {
    await (await files.open(requestOf(directory), 'create')).close();
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}
