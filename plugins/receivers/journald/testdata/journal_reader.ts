/** Reads a journal entry by entry, without making records of them, and can be stopped and started again where it was. */
import { entryCursor } from '../file/cursor.ts';
import { JournalDirectories } from '../journal/directories.ts';
import { Journal } from '../journal/journal.ts';
import type { LossReason } from '../lost_entries.ts';
import { Positions } from '../position/positions.ts';

export interface Root {
  /** Where files are kept for good, and until the next boot. */
  readonly persistent: string;
  readonly runtime: string;
}

export class JournalReader {
  readonly #directories: JournalDirectories;
  #positions: Positions;
  #journal: Journal;
  /** What tells each entry that was read from others (`b=…;m=…;t=…;x=…`), in order. */
  readonly read: string[] = [];
  readonly lost: Partial<Record<LossReason, number>> = {};

  constructor({ persistent, runtime }: Root, positions = new Positions(0)) {
    this.#directories = new JournalDirectories([persistent, runtime], { runtimeRoot: runtime });
    this.#positions = positions;
    this.#journal = this.#open();
  }

  get positions(): Positions {
    return Positions.parse(this.#positions.toText(), 'test');
  }

  get journal(): Journal {
    return this.#journal;
  }

  /** Looks for what is new, and reads up to `count` entries. */
  look(count = Infinity): void {
    this.#journal.refresh(true);
    this.take(count);
  }

  /** Reads up to `count` entries without looking again. */
  take(count = Infinity): void {
    for (let taken = 0; taken < count; taken++) {
      const file = this.#journal.current();
      if (file === undefined) return;
      const at = file.findEntry();
      const cursor = entryCursor(file.header.seqnumId, file.windows.bytes, at);
      this.read.push(cursor.text.slice(cursor.text.indexOf(';b=') + 1));
      this.#positions.set(cursor);
      this.#journal.advance();
    }
  }

  /** Goes on with a new journal from what would have been saved. */
  restart(): void {
    this.#journal.close();
    this.#positions = Positions.parse(this.#positions.toText(), 'test');
    this.#journal = this.#open();
  }

  close(): void {
    this.#journal.close();
  }

  #open(): Journal {
    return new Journal(
      this.#directories,
      this.#positions,
      () => {},
      (reason, count) => (this.lost[reason] = (this.lost[reason] ?? 0) + count),
    );
  }
}
