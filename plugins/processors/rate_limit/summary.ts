import { type Batch, BodyKind } from '../../../src/core/batch.ts';
import { BatchBuilder } from '../../../src/core/batch_builder.ts';
import type { Resource } from '../../../src/core/resource.ts';
import { severityFromText } from '../../../src/core/severity.ts';
import type { Limit } from './buckets.ts';

const WARN = severityFromText('warn');

/** A name longer than this is cut in the text, so that a record has a bound. */
const MAX_NAME_LENGTH = 200;

/** More than the longest record: the name (six bytes a character where it is escaped) twice, and the words around it. */
const MAX_RECORD_BYTES = 4096;

const LIMITS = { arenaBytes: 64 * 1024, maxRecords: 512 };

/** What was dropped of one service since the last summary, and where the service's records go. */
export interface Suppressed {
  /** Undefined for several that are not told apart. */
  readonly service: string | undefined;
  readonly limit: Limit;
  readonly format: string;
  readonly resource: Resource;
  records: number;
}

/**
 * Batches with one record for each entry that says how many records were dropped in the last `elapsedMs`. They have the format and the
 * resource of what was dropped, so that whoever reads a service's log finds the gap explained in it.
 */
export function* summaries(
  suppressed: Iterable<Suppressed>,
  receiver: string,
  timeMicros: number,
  elapsedMs: number,
): Iterable<Batch> {
  let builder: BatchBuilder | undefined;
  let last: Suppressed | undefined;
  for (const entry of suppressed) {
    builder ??= new BatchBuilder(LIMITS);
    const isSameBatch = last === undefined || (last.format === entry.format && last.resource === entry.resource);
    if (last !== undefined && (!isSameBatch || builder.isFull || builder.room < MAX_RECORD_BYTES)) {
      yield builder.build({ receiver, format: last.format, resource: last.resource });
    }
    add(builder, entry, timeMicros, elapsedMs);
    last = entry;
  }
  if (builder !== undefined && last !== undefined) {
    yield builder.build({ receiver, format: last.format, resource: last.resource });
  }
}

function add(builder: BatchBuilder, entry: Suppressed, timeMicros: number, elapsedMs: number): void {
  const service = builder.services.intern(entry.service ?? '');
  const start = builder.used;
  const end = append(builder, describe(entry, elapsedMs));
  const at = builder.add(timeMicros, WARN, service, BodyKind.text, 0, start, end);
  builder.setFields(at, end, append(builder, `"suppressed":${entry.records}`));
}

/** Appends text to the arena and returns its end. */
function append(builder: BatchBuilder, text: string): number {
  builder.used += builder.arena.write(text, builder.used, 'utf8');
  return builder.used;
}

function describe({ service, limit, records }: Suppressed, elapsedMs: number): string {
  const what = records === 1 ? '1 record' : `${records} records`;
  const were = records === 1 ? 'was' : 'were';
  const elapsedSeconds = Math.max(1, Math.round(elapsedMs / 1000));
  const bounds = service === undefined ? '' : ` (limit ${round(limit.ratePerMs * 1000)}/s, burst ${round(limit.burst)})`;
  return `rate limit: ${what} ${whose(service)} ${were} dropped in the last ${elapsedSeconds} s${bounds}`;
}

function whose(service: string | undefined): string {
  if (service === undefined) return 'of other services';
  if (service === '') return 'without a service';
  return `of service ${JSON.stringify(service.slice(0, MAX_NAME_LENGTH))}`;
}

/** Without the last digits, which dividing and multiplying by a thousand spoils. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}
