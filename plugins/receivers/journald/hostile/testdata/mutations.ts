/**
 * Ways to damage a file, described as data, so that fast-check can print and shrink them. Places are given as numbers of any size and
 * taken modulo what there is.
 */
import fc from 'fast-check';
import { type Range, type Sample, sizeAt } from './corpus.ts';

const KINDS = ['header', 'hashTables', 'data', 'entries', 'arrays', 'tags'] as const;
type Kind = (typeof KINDS)[number];

export type Mutation =
  /** The file ends at an object's boundary, or so many bytes from it. */
  | { readonly what: 'truncate'; readonly object: number; readonly delta: number }
  | { readonly what: 'flip'; readonly at: number; readonly bit: number }
  /** A bit within an object of that kind. */
  | { readonly what: 'flipIn'; readonly kind: Kind; readonly object: number; readonly at: number; readonly bit: number }
  /** A 64-bit number in one of the first words of an object of that kind. */
  | { readonly what: 'number'; readonly kind: Kind; readonly object: number; readonly word: number; readonly value: bigint }
  /** As above, with the place of an object of another kind, or a few bytes behind it. */
  | {
      readonly what: 'refer';
      readonly kind: Kind;
      readonly object: number;
      readonly word: number;
      readonly to: Kind;
      readonly toObject: number;
      readonly delta: number;
    }
  | { readonly what: 'fill'; readonly at: number; readonly length: number; readonly byte: number }
  /** Bytes of one place over those of another, as a disk that mixes blocks up. */
  | { readonly what: 'copy'; readonly from: number; readonly at: number; readonly length: number };

const kind = fc.constantFrom(...KINDS);
const object = fc.nat(1000);
const word = fc.nat(12);
const bit = fc.nat(7);

const at = fc.nat();

/** Sizes and offsets that are worth trying wherever one is expected. */
const value = fc.oneof(
  fc.constantFrom(0n, 1n, 7n, 8n, 15n, 16n, 24n, 63n, 64n, 65n, 72n),
  fc.constantFrom(...[12n, 24n, 31n, 32n, 35n, 40n, 53n, 60n, 63n].flatMap((power) => [1n << power, (1n << power) - 1n])),
  fc.constant((1n << 64n) - 1n),
  fc.nat(8000).map((small) => BigInt(small) * 8n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ what: fc.constant('truncate' as const), object, delta: fc.integer({ min: -40, max: 80 }) }),
  fc.record({ what: fc.constant('flip' as const), at, bit }),
  fc.record({ what: fc.constant('flipIn' as const), kind, object, at, bit }),
  fc.record({ what: fc.constant('number' as const), kind, object, word, value }),
  fc.record({
    what: fc.constant('refer' as const),
    kind,
    object,
    word,
    to: kind,
    toObject: object,
    delta: fc.constantFrom(0, 0, 4, 8, 24),
  }),
  fc.record({ what: fc.constant('fill' as const), at, length: fc.nat(5000), byte: fc.constantFrom(0, 0xff, 0x41, 3, 6) }),
  fc.record({ what: fc.constant('copy' as const), from: at, at, length: fc.nat(5000) }),
);

/** The sample's file, damaged. */
export function damage(sample: Sample, mutations: readonly Mutation[]): Buffer {
  return mutations.reduce<Buffer>((bytes, one) => apply(bytes, sample, one), Buffer.from(sample.bytes));
}

function apply(bytes: Buffer, sample: Sample, mutation: Mutation): Buffer {
  if (bytes.length < 8) return bytes;
  switch (mutation.what) {
    case 'truncate': {
      const boundary = sample.boundaries[mutation.object % sample.boundaries.length] ?? 0;
      return bytes.subarray(0, Math.max(0, boundary + mutation.delta));
    }
    case 'flip':
      flip(bytes, mutation.at % bytes.length, mutation.bit);
      break;
    case 'flipIn': {
      const [start, end] = rangeOf(sample, mutation.kind, mutation.object);
      flip(bytes, start + (mutation.at % (end - start)), mutation.bit);
      break;
    }
    case 'number':
      write(bytes, sample, mutation, mutation.value);
      break;
    case 'refer':
      write(bytes, sample, mutation, BigInt(rangeOf(sample, mutation.to, mutation.toObject)[0] + mutation.delta));
      break;
    case 'fill': {
      const start = mutation.at % bytes.length;
      bytes.fill(mutation.byte, start, Math.min(bytes.length, start + mutation.length));
      break;
    }
    case 'copy': {
      const from = mutation.from % bytes.length;
      bytes.copyWithin(mutation.at % bytes.length, from, Math.min(bytes.length, from + mutation.length));
    }
  }
  return bytes;
}

function flip(bytes: Buffer, at: number, bit: number): void {
  if (at < bytes.length) bytes[at]! ^= 1 << bit; // at is below the length
}

function write(bytes: Buffer, sample: Sample, place: { kind: Kind; object: number; word: number }, value: bigint): void {
  const [start, end] = rangeOf(sample, place.kind, place.object);
  const at = start + ((place.word * 8) % (end - start));
  if (at + 8 <= bytes.length) bytes.writeBigUInt64LE(value, at);
}

/** Where an object of that kind is; the first one of the file where there is none. */
function rangeOf({ bytes, writer }: Sample, kind: Kind, object: number): Range {
  if (kind === 'header') return [0, 208];
  const offsets = writer.offsets[kind];
  const offset = offsets[object % Math.max(1, offsets.length)] ?? writer.offsets.hashTables[0] ?? 0;
  return [offset, offset + sizeAt(bytes, offset)];
}
