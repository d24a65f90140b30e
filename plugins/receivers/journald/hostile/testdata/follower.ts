/** Follows a directory as the driver does, but for its timers: a look and then all that there is to be read. */
import { Ack, DELIVERED } from '../../../../../src/core/ack.ts';
import { readBatch } from '../../../../../test/helpers/batches.ts';
import { JournalDirectories } from '../../journal/directories.ts';
import { Journal } from '../../journal/journal.ts';
import { Positions } from '../../position/positions.ts';
import { BatchReader } from '../../records/batch_reader.ts';
import { DEFAULT_SERVICE_FIELDS } from '../../records/field_names.ts';
import { FieldTable, type Selection } from '../../records/fields.ts';
import { EntrySelection } from '../../select/selection.ts';

/** Reads that make sense for what tests write; more are a loop. */
const MAX_READS = 100_000;

export interface FollowedRecord {
  readonly sequence: number;
  readonly body: string;
}

export class Follower {
  readonly #journal: Journal;
  readonly #reader: BatchReader;
  /** How often something could not be read, by reason. */
  readonly damage: Record<string, number> = {};

  constructor(directory: string, fields: Selection = 'all') {
    const onDamage = (reason: string): void => {
      this.damage[reason] = (this.damage[reason] ?? 0) + 1;
    };
    const selection = new EntrySelection(undefined, undefined);
    this.#journal = new Journal(new JournalDirectories([directory]), new Positions(0), onDamage);
    this.#reader = new BatchReader(this.#journal, {
      receiver: 'journald',
      format: 'journal',
      selection,
      table: new FieldTable({ fields, service: DEFAULT_SERVICE_FIELDS, conditions: selection.fields }),
      maxValueBytes: 256 * 1024,
      parseJson: false,
      now: () => 0,
      onDamage,
      onCut: () => {},
      onLeftOut: () => {},
      onSuppressed: () => {},
    });
  }

  /** Looks for what is new, and returns the records of all of it; `onBatch` is given those of each batch. */
  look(onBatch: (records: readonly FollowedRecord[]) => unknown = () => {}): FollowedRecord[] {
    const records: FollowedRecord[] = [];
    this.#journal.refresh(true);
    for (let reads = 0; reads < MAX_READS; reads++) {
      const reading = this.#reader.read({ ackFor: () => new Ack(), passed: () => {} });
      if (reading === undefined && !this.#journal.isSearching) return records;
      if (reading === undefined || reading === 'passed') continue;
      const batch = readBatch(reading).map(({ sequence, body }) => ({ sequence, body }));
      onBatch(batch);
      records.push(...batch);
      reading.settle(DELIVERED);
    }
    throw new Error(`there is no end to it after ${MAX_READS} reads`);
  }

  close(): void {
    this.#journal.close();
  }
}
