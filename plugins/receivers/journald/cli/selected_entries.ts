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

/** Files whose shared objects are remembered at a time; more are read at once only where very many users log. */
const MAX_FILES = 8;

/** Entries that `next` looks at before it returns, so that a selection of few does not keep everything else waiting. */
const MAX_LOOKED_AT = 8192;

export class SelectedEntries {
  readonly #journal: Journal;
  readonly #options: SelectedEntriesOptions;
  /** The one used last at the end. */
  readonly #piecesOf = new Map<JournalFile, EntryPieces>();
  #file: JournalFile | undefined;
  #pieces: EntryPieces | undefined;
  /** The members below are of the entry that `next` found, until it is called again. */
  readonly head = new EntryHead();
  seqnumId = '';

  constructor(journal: Journal, options: SelectedEntriesOptions) {
    this.#journal = journal;
    this.#options = options;
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
    const pieces = this.#piecesOf.get(file) ?? new EntryPieces(file, encoder, selection, onDamage);
    this.#piecesOf.delete(file);
    this.#piecesOf.set(file, pieces);
    if (this.#piecesOf.size > MAX_FILES) {
      const [oldest] = this.#piecesOf.keys();
      if (oldest !== undefined) this.#piecesOf.delete(oldest);
    }
    this.#file = file;
    this.#pieces = pieces;
    this.seqnumId = file.header.seqnumId;
    return pieces;
  }
}
