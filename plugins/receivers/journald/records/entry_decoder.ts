/**
 * Turns the entries of one file into records of a batch: body from MESSAGE, severity from PRIORITY, service, and the fields that
 * are shipped as encoded members. What an entry shares with others comes from caches as bytes that are only copied, or not even
 * that; per entry no object and no string is made. Entries that are something special (see `marks.ts`), and those that come while a
 * line is pending, take a longer way.
 */
import { BodyKind, RecordFlag } from '../../../../src/core/batch.ts';
import type { BatchBuilder } from '../../../../src/core/batch_builder.ts';
import type { EntrySelection } from '../select/selection.ts';
import { NO_SLOT } from './data_cache.ts';
import { EntryContents } from './entry_contents.ts';
import { epochOf } from '../file/cursor.ts';
import type { JournalFile } from '../file/journal_file.ts';
import type { Joins, LinePart } from './joins.ts';
import { ANY_MARK, Mark } from './marks.ts';
import { type DecoderOptions, writeBody } from './object_decoder.ts';
import { readSuppressed, type Suppressed, SUPPRESSED_FIELDS } from './suppressed.ts';

export interface EntryOptions extends DecoderOptions {
  readonly selection: EntrySelection;
  readonly joins: Joins;
  /** Called for each entry by which journald says that it dropped others, whether the entry is chosen or not. */
  readonly onSuppressed: (suppressed: Suppressed) => void;
}

/** What became of an entry: it is done with, or it was not chosen, or it has to be appended again when there is more room. */
export type Outcome = 'taken' | 'left_out' | 'full';

/** The number of no batch. */
const NO_BATCH = NaN;

export class EntryDecoder {
  readonly #file: JournalFile;
  readonly #options: EntryOptions;
  readonly #contents: EntryContents;
  /** Where the entry is whose damage was counted last: one that is appended again is decoded again. */
  #countedOf = 0;

  constructor(file: JournalFile, options: EntryOptions) {
    this.#file = file;
    this.#options = options;
    this.#contents = new EntryContents(file, options);
  }

  /** Memory that it takes, in bytes. */
  get memoryBytes(): number {
    return this.#contents.memoryBytes;
  }

  /** What compressed objects of the last entry took to decompress, in bytes. */
  get decompressedBytes(): number {
    return this.#contents.objects.decompressedBytes;
  }

  /**
   * Appends the file's current entry to `builder`, which is not full; `batch` is a number that grows with each batch. Bodies are
   * marked as text, whatever they are. Nothing is appended where the outcome is another than `taken`, and not always then: a part of
   * a line goes to the joins, and an entry whose bytes cannot be had any more is only counted.
   */
  append(builder: BatchBuilder, batch: number): Outcome {
    const { selection, joins, onDamage } = this.#options;
    if (!this.#contents.take()) {
      onDamage('entry', this.#file.path);
      return 'taken';
    }
    if (this.#contents.damage.length > 0) this.#countDamage();
    const { bits } = this.#contents.parts;
    if ((bits & ANY_MARK) !== 0 || joins.pendingCount > 0) return this.#appendSpecial(builder, batch);
    if (!selection.accepts(bits)) return 'left_out';
    return this.#write(builder, batch);
  }

  #countDamage(): void {
    const { path, entryOffset } = this.#file;
    if (entryOffset === this.#countedOf) return;
    this.#countedOf = entryOffset;
    for (const reason of this.#contents.damage) this.#options.onDamage(reason, path);
  }

  #appendSpecial(builder: BatchBuilder, batch: number): Outcome {
    const { selection, joins, onSuppressed } = this.#options;
    const { parts, objects } = this.#contents;
    const stream = objects.cache.nameOf(parts.stream);
    const isContinued = (parts.bits & Mark.lineMax) !== 0 && stream !== '';
    const isWanted = selection.accepts(parts.bits);
    if (isContinued || joins.isOpen(stream)) {
      const part = this.#linePart(builder, stream);
      if (part === undefined) return 'full';
      return joins.add(part, isContinued, isWanted) ? 'taken' : 'left_out';
    }
    const outcome = isWanted ? this.#write(builder, batch) : 'left_out';
    if ((parts.bits & Mark.suppressed) !== 0 && outcome !== 'full') {
      const suppressed = readSuppressed(objects.readTexts(this.#contents.keys, SUPPRESSED_FIELDS));
      if (suppressed !== undefined) onSuppressed(suppressed);
    }
    return outcome;
  }

  #write(builder: BatchBuilder, batch: number): Outcome {
    const { objects, fields, parts } = this.#contents;
    const { columns } = objects.cache;
    const start = columns.start[parts.message]!; // slots are below the columns' length, here and below
    const end = columns.end[parts.message]!;
    const bodyStart = this.#contents.writeFields(builder, batch, builder.arena.length - (end - start) - 1);
    if (bodyStart < 0) return 'full';
    const used = writeBody(builder.arena, bodyStart, objects.messageBytes(parts.message), start, end);
    const isCut = parts.isCut || fields.isCut;
    if (isCut) this.#options.onCut();
    const service = parts.service === NO_SLOT ? 0 : objects.cache.serviceId(parts.service, builder.services);
    const flags = isCut ? RecordFlag.truncated : 0;
    const record = builder.add(this.#file.realtime, parts.severity, service, BodyKind.text, flags, bodyStart, used - 1);
    builder.setFields(record, fields.start, fields.end);
    builder.setSequence(record, this.#file.seqnum);
    builder.used = used;
    return 'taken';
  }

  /** The entry as a part of a line of `stream`, with copies of its bytes; undefined where the arena lacks room for it. */
  #linePart(builder: BatchBuilder, stream: string): LinePart | undefined {
    const { objects, fields, parts } = this.#contents;
    const { columns } = objects.cache;
    const { seqnum, realtime, header, bootId } = this.#file;
    // The members are only written to the arena to be copied from there, so no later record may refer to them.
    if (this.#contents.writeFields(builder, NO_BATCH, builder.arena.length) < 0) return undefined;
    const message = objects.messageBytes(parts.message);
    return {
      stream,
      seqnumId: header.seqnumId,
      epoch: epochOf(header.seqnumId, bootId),
      seqnum,
      realtime,
      severity: parts.severity,
      service: objects.cache.nameOf(parts.service),
      fields: Buffer.from(builder.arena.subarray(fields.start, fields.end)),
      body: Buffer.from(message.subarray(columns.start[parts.message], columns.end[parts.message])),
      isCut: parts.isCut || fields.isCut,
    };
  }
}
