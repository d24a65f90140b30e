/** Makes up journal entries, for systemd to write. */
import fc from 'fast-check';
import type { ExportField } from './export_format.ts';

/** Names that services use, those with a part in a record among them. */
const name = fc.constantFrom(
  'MESSAGE',
  'PRIORITY',
  'SYSLOG_IDENTIFIER',
  '_SYSTEMD_UNIT',
  '_COMM',
  '_PID',
  'CODE_FILE',
  'X',
  'EMPTY_ONE',
);

const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('nginx', 'sshd.service', '6', '3', '', '17', 'ü€😀', 'a "quoted" \\ one') },
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => `line one\n\tline two ${text}\n`) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 500, max: 30_000 }).map((length) => 'compressible '.repeat(length).slice(0, length)),
  },
);

const bytes = fc.oneof(
  { weight: 8, arbitrary: value.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array)) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 600, maxLength: 900 }).map((array) => Buffer.from(array)) },
);

const entry = fc.record({
  fields: fc.array(fc.tuple(name, bytes), { minLength: 1, maxLength: 14 }),
  step: fc.integer({ min: 0, max: 5_000_000 }),
  boot: fc.constantFrom('0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'),
});

/** Entries of all that a journal may hold: binary, empty, repeated, large and multi-line fields; the same for the same seed. */
export function generate(seed: number, count: number): ExportField[][] {
  let realtime = 1_700_000_000_000_000;
  let monotonic = 1_000_000;
  return fc.sample(entry, { seed, numRuns: count }).map(({ fields, step, boot }) => {
    realtime += step;
    monotonic += step;
    const addressing: [string, string][] = [
      ['__REALTIME_TIMESTAMP', String(realtime)],
      ['__MONOTONIC_TIMESTAMP', String(monotonic)],
      ['_BOOT_ID', boot],
    ];
    return [...addressing.map(([field, text]): ExportField => [field, Buffer.from(text)]), ...fields];
  });
}
