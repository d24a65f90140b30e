/**
 * How far a spool had come in one moment. Saved together with the ledger of the same moment, it lets a start after a crash tell records that
 * were held then from those that came later, and those that were delivered then from those that were not.
 */
export interface SpoolMark {
  /** Of the spool, for as long as its directory is there. */
  readonly id: string;
  /** No batch had been given this position, nor one above it. */
  readonly nextPosition: number;
  /** By destination and lane: everything below this position is settled. */
  readonly cursors: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What a spool found on disk at its start. */
export interface Recovery {
  /** By receiver. */
  readonly records: ReadonlyMap<string, RecoveredRecords>;
  /** Whether there are damaged places of which nobody can tell what was there. */
  readonly hasDamage: boolean;
}

/** Records of one receiver that a spool found on disk at its start. */
export interface RecoveredRecords {
  /** Those that it held when the mark was made. */
  readonly known: number;
  /** Those that came after that. */
  readonly newer: number;
}
