/** Journals of everything that the reader has a branch for, and which bytes of them each entry depends on. */
import { randomBytes } from 'node:crypto';
import { withoutXz, xz } from '../../testdata/compressed.ts';
import { type FieldSpec, JournalWriter } from '../../testdata/journal_writer.ts';
import type { RawEntry } from './read_raw.ts';

/** Bytes from `start` to `end` of a file. */
export type Range = readonly [start: number, end: number];

export interface Sample {
  readonly name: string;
  readonly writer: JournalWriter;
  readonly bytes: Buffer;
  /** What is in it, oldest first. */
  readonly entries: readonly RawEntry[];
  /** For each entry the bytes that it is made of, its slots in the list of entries included. */
  readonly ranges: readonly (readonly Range[])[];
  /** Where objects begin and end, and the parts of them that structure the file. */
  readonly boundaries: readonly number[];
}

const COUNT = 70;
/** Of the header, what is not looked at does not matter. */
const USED_HEADER_BYTES = 208;

export function createSamples(): readonly Sample[] {
  return [true, false].flatMap((isCompact) => [createSample(isCompact, 'archived'), createSample(isCompact, 'online')]);
}

/** The same file each time, with `count` entries so far. */
export function createSample(isCompact: boolean, state: 'archived' | 'online', count = COUNT): Sample {
  const writer = new JournalWriter({
    isCompact,
    isSealed: state === 'archived',
    fileId: isCompact ? 'c0'.repeat(16) : '7e'.repeat(16),
  });
  const entries = Array.from({ length: count }, (_, index) => {
    const fields = fieldsOf(index);
    writer.append({ fields });
    const texts = fields.map(({ name, value }) => `${name}=${Buffer.from(value).toString('latin1')}`);
    return { seqnum: index + 1, realtime: 1_700_000_000_000_000 + index * 1_000_000, fields: texts.toSorted() };
  });
  writer.state = state;
  const bytes = writer.bytes();
  const { data, entries: at, arrays, tags, hashTables } = writer.offsets;
  const ranges = at.map((offset, index) => rangesOf(bytes, isCompact, arrays, offset, index));
  const objects = [...data, ...at, ...arrays, ...tags, ...hashTables].toSorted((a, b) => a - b);
  return { name: `${isCompact ? 'compact' : 'regular'}, ${state}`, writer, bytes, entries, ranges, boundaries: objects };
}

const NOISE = randomBytes(700);

function fieldsOf(index: number): FieldSpec[] {
  const trace = `line of a trace ${index % 3}\n`.repeat(60);
  const fields: FieldSpec[] = [
    { name: 'MESSAGE', value: `message ${index} ${'x'.repeat((index * 37) % 300)}` },
    { name: 'PRIORITY', value: String(index % 8) },
    { name: 'SYSLOG_IDENTIFIER', value: `service-${index % 5}` },
    { name: '_PID', value: String(index % 11) },
    { name: 'BINARY', value: Uint8Array.of(index, 0xff, 0, 0x0a) },
    { name: 'EMPTY', value: '' },
  ];
  if (index % 4 === 0) fields.push({ name: 'X', value: '1' }, { name: 'X', value: '2' });
  if (index % 5 === 0) fields.push({ name: 'ZSTD', value: trace, compression: 'zstd' });
  if (index % 5 === 1) fields.push({ name: 'LZ4', value: trace, compression: 'lz4' });
  if (index % 5 === 2) fields.push(xzField(trace));
  if (index % 17 === 0) fields.push({ name: 'NOISE', value: Buffer.concat([NOISE, Buffer.of(index)]) });
  return fields;
}

/** Compressed for good where that can be. */
function xzField(value: string): FieldSpec {
  const field = { name: 'XZ', value, compression: 'xz' } as const;
  return withoutXz === false ? { ...field, stored: xz(Buffer.from(`XZ=${value}`), '--check=none', '--lzma2=dict=1MiB') } : field;
}

/** What entry `index`, at `offset`, depends on. Numbers that a reader has no use for, such as hashes, do not count. */
function rangesOf(bytes: Buffer, isCompact: boolean, arrays: readonly number[], offset: number, index: number): Range[] {
  const ranges: Range[] = [
    [0, USED_HEADER_BYTES],
    [offset, offset + sizeAt(bytes, offset)],
  ];
  const itemBytes = isCompact ? 4 : 16;
  for (let item = offset + 64; item < offset + sizeAt(bytes, offset); item += itemBytes) {
    const data = isCompact ? bytes.readUInt32LE(item) : Number(bytes.readBigUInt64LE(item));
    ranges.push([data, data + 16], [data + (isCompact ? 72 : 64), data + sizeAt(bytes, data)]);
  }
  const slotBytes = isCompact ? 4 : 8;
  let first = 0;
  for (const array of arrays) {
    ranges.push([array, array + 24]);
    const slots = Math.floor((sizeAt(bytes, array) - 24) / slotBytes);
    if (index < first + slots) {
      const slot = array + 24 + (index - first) * slotBytes;
      ranges.push([slot, slot + slotBytes]);
      break;
    }
    first += slots;
  }
  return ranges;
}

export function sizeAt(bytes: Buffer, offset: number): number {
  return Number(bytes.readBigUInt64LE(offset + 8));
}

/** Indexes of the entries that are the same in `damaged`, with all that leads to them. */
export function intactEntries({ bytes, ranges }: Sample, damaged: Buffer): number[] {
  const isSame = ([start, end]: Range): boolean => end <= damaged.length && bytes.compare(damaged, start, end, start, end) === 0;
  return ranges.flatMap((own, index) => (own.every(isSame) ? [index] : []));
}
