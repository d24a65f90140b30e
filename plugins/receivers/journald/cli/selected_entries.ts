/** The selected entries of a journal, one after the other, each as its head and the pieces of its fields. */
import type { Damage, JournalFile } from '../file/journal_file.ts';
import type { Journal } from '../journal/journal.ts';
import type { EntrySelection } from '../select/selection.ts';
import { EntryHead } from './entry_head.ts';
import { EntryPieces, type FieldEncoder } from './pieces.ts';

export interface SelectedEntriesOptions {
  readonly selection: EntrySelection;
  /** The last moment, in microseconds since 1970. */
  readonly untilMicros: number;
  readonly encoder: FieldEncoder;
  readonly onDamage: Damage;
}

/**
 * What is remembered of all files may take so much, in bytes: that of a hundred hosts or so, whose entries take turns. Beyond it, what
 * belongs to the file that was read longest ago is dropped.
 */
export const MAX_REMEMBERED_BYTES = 64 * 1024 * 1024;

/** Turns to another file after which that is added up, as it is whenever a file is met anew. */
const TURNS = 1024;

/** Entries that `next` looks at before it returns, so that a selection of few does not keep everything else waiting. */
const MAX_LOOKED_AT = 8192;

export class SelectedEntries {
  readonly #journal: Journal;
  readonly #options: SelectedEntriesOptions;
  /** The one used last at the end. */
  readonly #piecesOf = new Map<JournalFile, EntryPieces>();
  #file: JournalFile | undefined;
  #pieces: EntryPieces | undefined;
  #turns = 0;
  /** The members below are of the entry that `next` found, until it is called again. */
  readonly head = new EntryHead();
  seqnumId = '';

  constructor(journal: Journal, options: SelectedEntriesOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  /** Memory that what is remembered of files takes, in bytes. */
  get memoryBytes(): number {
    let bytes = 0;
    for (const pieces of this.#piecesOf.values()) bytes += pieces.memoryBytes;
    return bytes;
  }

  /**
   * Moves to the next selected entry and returns its pieces. `more`: it is further on. `none`: there is no further one yet. `over`: those
   * that follow are too late.
   */
  next(): EntryPieces | 'more' | 'none' | 'over' {
    const { untilMicros, onDamage } = this.#options;
    for (let looked = 0; looked < MAX_LOOKED_AT; looked++) {
      const file = this.#journal.current();
      if (file === undefined) return this.#journal.isSearching ? 'more' : 'none';
      // As journalctl has it: the clock is taken to have gone only forward.
      if (file.realtime > untilMicros) return 'over';
      const pieces = this.#open(file);
      const hasHead = this.head.read(file);
      if (!hasHead) onDamage('entry', file.path);
      const isSelected = hasHead && pieces.read();
      this.#journal.advance();
      if (isSelected) return pieces;
    }
    return 'more';
  }

  #open(file: JournalFile): EntryPieces {
    if (file === this.#file && this.#pieces !== undefined) return this.#pieces;
    const { selection, encoder, onDamage } = this.#options;
    const known = this.#piecesOf.get(file);
    const pieces = known ?? new EntryPieces(file, encoder, selection, onDamage);
    this.#piecesOf.delete(file);
    this.#piecesOf.set(file, pieces);
    this.#file = file;
    this.#pieces = pieces;
    this.seqnumId = file.header.seqnumId;
    if (known === undefined || ++this.#turns % TURNS === 0) this.#boundMemory();
    return pieces;
  }

  /** Drops what will not be needed any more, and then so much that the rest takes no more than it may. */
  #boundMemory(): void {
    for (const file of this.#piecesOf.keys()) if (file.isFinal && file.isExhausted) this.#piecesOf.delete(file);
    let bytes = this.memoryBytes;
    for (const [file, pieces] of this.#piecesOf) {
      if (bytes <= MAX_REMEMBERED_BYTES || pieces === this.#pieces) return;
      this.#piecesOf.delete(file);
      bytes -= pieces.memoryBytes;
    }
  }
}
