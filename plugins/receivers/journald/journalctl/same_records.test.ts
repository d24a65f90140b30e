import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { DELIVERED } from '../../../../src/core/ack.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import type { PlainRecord } from '../../../../test/helpers/batches.ts';
import { FakeReceiverContext } from '../../../../test/helpers/contexts.ts';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import definition from '../index.ts';
import type { ExportField } from '../testdata/export_format.ts';
import { generate } from '../testdata/generate.ts';
import { withoutSystemd, writeWithSystemd } from '../testdata/systemd.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

const skip = withoutSystemd;

interface Tap {
  teardown(run: () => unknown): unknown;
}

interface Read {
  readonly records: readonly (PlainRecord & { readonly epoch: string })[];
  readonly metrics: Readonly<Record<string, number>>;
}

const METRICS = [
  'sluice_journald_entries_read_total',
  'sluice_journald_entries_filtered_total',
  'sluice_journald_truncated_records_total',
  'sluice_journald_lost_entries_total',
];

/** What a driver makes of the journal in `directory`, which ends with an entry whose message is `END`. */
async function readWith(
  driver: 'files' | 'journalctl',
  directory: string,
  given: Record<string, unknown>,
  t: Tap,
): Promise<Read> {
  const stateDirectory = temporaryDirectory(t);
  const context = new FakeReceiverContext({ id: 'journald', clock: systemClock, stateDirectory, settleWith: DELIVERED });
  const options = definition.options.parse({ directory, start_at: 'beginning', driver, poll_interval: '10ms', ...given });
  const receiver = definition.create(options, context);
  t.teardown(() => receiver.stop());
  await receiver.start();
  await waitFor(() => context.emitted.at(-1)?.records.at(-1)?.body === 'END', {
    what: `${driver} to read it all`,
    deadlineMs: 20_000,
  });
  await receiver.stop();
  await receiver.close?.();
  const records = context.emitted.flatMap(({ batch, records: ofBatch }) =>
    ofBatch.map((record) => ({ ...record, epoch: batch.epoch ?? '' })),
  );
  return { records, metrics: Object.fromEntries(METRICS.map((name) => [name, context.metrics.sum(name)])) };
}

const BOOT_MEMBER = /,?"boot_id":"[0-9a-f]{32}"/;

/** With the boot id behind the other members: where it stands among them is the one thing that an export does not tell. */
function withBootLast(record: PlainRecord): PlainRecord {
  const [member = ''] = BOOT_MEMBER.exec(record.fields) ?? [];
  const rest = record.fields.replace(BOOT_MEMBER, '').replace(/^,/, '');
  return { ...record, fields: `${rest} ${member.replace(/^,/, '')}` };
}

type Value = readonly [name: string, value: string];

function field(name: string, value: string): ExportField {
  return [name, Buffer.from(value)];
}

/** The entries, and one with the message END. */
function* ending(entries: Iterable<ExportField[]>): Iterable<ExportField[]> {
  yield* entries;
  yield [
    field('__REALTIME_TIMESTAMP', '1900000000000000'),
    field('__MONOTONIC_TIMESTAMP', '900000000'),
    field('_BOOT_ID', 'fedcba9876543210fedcba9876543210'),
    field('MESSAGE', 'END'),
    field('PRIORITY', '3'),
  ];
}

const VARIANTS: Readonly<Record<string, Record<string, unknown>>> = {
  'as they are by default': {},
  'with all fields': { fields: 'all' },
  'with short values, and JSON': { fields: 'all', max_field_bytes: '1KiB', parse_json: true },
  'with a service of another kind': { service: ['CODE_FILE', '_COMM'], fields: ['_SYSTEMD_*', 'X'] },
  'of those that are chosen': { fields: 'all', include: { priorities: 'err' }, exclude: { identifiers: ['nginx'] } },
};

void test('both drivers make the same records of a journal', { skip }, async (t) => {
  const directory = join(temporaryDirectory(t), 'journal');
  mkdirSync(directory);
  await writeWithSystemd(join(directory, 'system.journal'), ending(generate(3, 3000)));
  for (const [which, options] of Object.entries(VARIANTS)) {
    await t.test(which, async (tt) => {
      const files = await readWith('files', directory, options, tt);
      const journalctl = await readWith('journalctl', directory, options, tt);
      tt.ok(files.records.length > 10, `${files.records.length} records`);
      tt.equal(journalctl.records.length, files.records.length);
      for (const [index, record] of files.records.entries()) {
        const found = journalctl.records[index];
        if (found === undefined || JSON.stringify(withBootLast(found)) !== JSON.stringify(withBootLast(record))) {
          tt.same(found, record, `record ${index}`);
          break;
        }
      }
      tt.same(journalctl.metrics, files.metrics);
    });
  }
});

void test(
  'lines that journald has cut are joined, and messages that it dropped are counted, by both drivers alike',
  { skip },
  async (t) => {
    const directory = join(temporaryDirectory(t), 'journal');
    mkdirSync(directory);
    let seconds = 0;
    const entry = (message: string, ...more: readonly Value[]): ExportField[] => [
      field('__REALTIME_TIMESTAMP', String(1_700_000_000_000_000 + seconds++)),
      field('__MONOTONIC_TIMESTAMP', String(1_000_000 + seconds)),
      field('_BOOT_ID', '0123456789abcdef0123456789abcdef'),
      field('MESSAGE', message),
      ...more.map(([name, value]) => field(name, value)),
    ];
    const one: Value = ['_STREAM_ID', '1'.repeat(32)];
    const two: Value = ['_STREAM_ID', '2'.repeat(32)];
    const cut: Value = ['_LINE_BREAK', 'line-max'];
    const suppressed: Value = ['MESSAGE_ID', 'a596d6fe7bfa4994828e72309e95d61e'];
    const entries = [
      entry('a1 ', one, cut),
      entry('b1 ', two, cut),
      entry('other'),
      entry('a2 ', one, cut),
      entry('b2', two),
      entry('a3', one),
      entry('Suppressed 42 messages from web.service', suppressed, ['_TRANSPORT', 'driver'], ['N_DROPPED', '42']),
      entry('given up', one, cut),
    ];
    await writeWithSystemd(join(directory, 'system.journal'), ending(entries));
    const files = await readWith('files', directory, { fields: 'all' }, t);
    const journalctl = await readWith('journalctl', directory, { fields: 'all' }, t);
    const bodies = journalctl.records.map(({ body }) => body);
    t.same(bodies, ['other', 'b1 b2', 'a1 a2 a3', 'Suppressed 42 messages from web.service', 'given up', 'END']);
    t.same(journalctl.records.map(withBootLast), files.records.map(withBootLast));
    t.equal(journalctl.metrics['sluice_journald_lost_entries_total'], 42);
    t.same(journalctl.metrics, files.metrics);
  },
);
