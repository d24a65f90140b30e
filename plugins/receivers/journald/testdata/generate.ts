/** Makes up journal entries of all kinds, many thousands a second, for systemd to write. */
import type { ExportField } from './export_format.ts';
import { Random } from './random.ts';

/** Names that services use, those with a part in a record among them; an entry takes some of them more than once. */
const NAMES = 'MESSAGE PRIORITY SYSLOG_IDENTIFIER _SYSTEMD_UNIT _COMM _PID _UID CODE_FILE X EMPTY_ONE'.split(' ');

/** Values that many entries share, so that systemd stores them once. */
const SHARED = ['nginx', 'sshd.service', '6', '3', '', '17', 'ü€😀', 'a "quoted" \\ one', 'A=B', '{"a":1}', '\n', '\u0000'];

const SYMBOLS = 'abc XYZ 019 .,:/=_-"\\{}\t\u007f\u0001 äßñ €世界 😀🎉 \u2028 \ufeff'.split('');

/** Bytes to cut values from, which is faster than to make each of them. */
const POOL_BYTES = 4 * 1024 * 1024;

/** systemd compresses values from 512 bytes on. */
const COMPRESSED_BYTES = 512;
const HUGE_BYTES = 1024 * 1024;

const BOOTS = ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'];

/**
 * `count` entries with values that are text, several lines, binary, empty, shared and of their own, repeated under one name, long enough
 * to be compressed (well or not at all), and one in some thousand huge (up to a mebibyte), or an entry of hundreds of fields. The same
 * for the same seed. Times grow, and do so alike in two boots.
 */
export function* generate(seed: number, count: number): Iterable<ExportField[]> {
  const random = new Random(seed);
  const pools = { noise: noise(random, POOL_BYTES), text: text(random, POOL_BYTES) };
  let realtime = 1_700_000_000_000_000;
  let monotonic = 1_000_000;
  let boot = random.pick(BOOTS);
  for (let number = 0; number < count; number++) {
    const step = random.oneIn(5) ? 0 : random.below(5_000_000);
    realtime += step;
    monotonic += step;
    if (random.oneIn(50)) boot = random.pick(BOOTS);
    const isLong = random.oneIn(2000);
    const fields = isLong ? 200 + random.below(400) : 1 + random.below(14);
    const kinds = isLong ? SHORT_KINDS : ALL_KINDS;
    yield [
      ['__REALTIME_TIMESTAMP', Buffer.from(String(realtime))],
      ['__MONOTONIC_TIMESTAMP', Buffer.from(String(monotonic))],
      ['_BOOT_ID', Buffer.from(boot)],
      ...Array.from({ length: fields }, (): ExportField => [name(random), value(random, kinds, pools)]),
    ];
  }
}

function name(random: Random): string {
  if (!random.oneIn(8)) return random.pick(NAMES);
  const number = random.below(100);
  return random.oneIn(10) ? `LONG_${'N'.repeat(54)}_${number}` : `OWN_${number}`;
}

interface Pools {
  readonly noise: Buffer;
  /** Compresses well, and is whole UTF-8 characters wherever it is cut at a space. */
  readonly text: Buffer;
}

const ALL_KINDS = 1000;
/** Those below have values of a few words at most. */
const SHORT_KINDS = 940;

function value(random: Random, kinds: number, { noise, text }: Pools): Buffer {
  const kind = random.below(kinds);
  if (kind < 550) return SHARED_BYTES[random.below(SHARED.length)]!; // below their number
  if (kind < 780) return Buffer.from(words(random, random.below(60)));
  if (kind < 880) return Buffer.from(`line one\n\tline two ${words(random, random.below(40))}\n`);
  if (kind < SHORT_KINDS) return cut(random, noise, random.below(80));
  if (kind < 960) return cut(random, noise, COMPRESSED_BYTES - 8 + random.below(400));
  if (kind < 998) return cut(random, text, COMPRESSED_BYTES - 8 + (random.oneIn(10) ? random.below(30_000) : random.below(1500)));
  return random.oneIn(25) ? cut(random, random.oneIn(2) ? noise : text, random.below(HUGE_BYTES)) : Buffer.alloc(0);
}

const SHARED_BYTES = SHARED.map((text) => Buffer.from(text));

function words(random: Random, length: number): string {
  let made = '';
  for (let at = 0; at < length; at++) made += random.pick(SYMBOLS);
  return made;
}

function cut(random: Random, pool: Buffer, length: number): Buffer {
  const start = random.below(pool.length - length);
  return pool.subarray(start, start + length);
}

function noise(random: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 4) bytes.writeUInt32LE(random.below(2 ** 32), at);
  return bytes;
}

function text(random: Random, length: number): Buffer {
  const lines = Array.from({ length: 1000 }, () => `${words(random, 20)} GET /index.html 200 compressible `).join('');
  return Buffer.alloc(length, lines);
}
