/** What is chosen is what journalctl chooses, of journals that systemd wrote. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import { type ExportField, parseExport } from '../testdata/export_format.ts';
import { readWithSystemd, withoutSystemd, writeWithSystemd } from '../testdata/systemd.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { type Criteria, PRIORITIES } from './criteria.ts';
import { EntrySelection } from './selection.ts';

const UNITS = ['web.service', 'web.socket', 'app-1.service', 'app-2.scope', 'system.slice', 'app-x.slice'];
const COREDUMP = 'fc2e22bc6ee647b6b90729ab34a250b1';

const one = (values: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...values);

const field = fc.oneof(
  fc.tuple(one(['_SYSTEMD_UNIT', 'UNIT', 'OBJECT_SYSTEMD_UNIT', 'COREDUMP_UNIT']), one(UNITS)),
  fc.tuple(fc.constant('_SYSTEMD_SLICE'), one(['system.slice', 'app-x.slice'])),
  fc.tuple(fc.constant('SYSLOG_IDENTIFIER'), one(['sshd', 'cron'])),
  fc.tuple(fc.constant('PRIORITY'), one(['0', '3', '4', '6', '7', '', '66', 'x'])),
  fc.tuple(fc.constant('_UID'), one(['0', '1000'])),
  fc.tuple(fc.constant('_PID'), one(['1', '17'])),
  fc.tuple(fc.constant('MESSAGE_ID'), one([COREDUMP, 'ab'.repeat(16)])),
  fc.tuple(one(['X', 'Y']), one(['1', '2', 'ü', ''])),
);

const criteria: fc.Arbitrary<Criteria> = fc.record(
  {
    units: fc.array(one(['web', 'web.socket', 'app-*', '*.slice', 'system.slice', 'app-?.service', 'none']), {
      minLength: 1,
      maxLength: 3,
    }),
    identifiers: fc.array(one(['sshd', 'cron', 'none']), { minLength: 1, maxLength: 2 }),
    priorities: fc.constantFrom(...PRIORITIES),
    matches: fc.dictionary(one(['X', 'Y', '_UID']), fc.array(one(['1', '2', 'ü', '0']), { minLength: 1, maxLength: 2 }), {
      minKeys: 1,
    }),
  },
  { requiredKeys: [] },
);

function argumentsOf({ units = [], identifiers = [], priorities, matches = {} }: Criteria): string[] {
  return [
    ...units.flatMap((unit) => ['--unit', unit]),
    ...identifiers.flatMap((identifier) => ['--identifier', identifier]),
    ...(typeof priorities === 'string' ? ['--priority', priorities] : []),
    ...Object.entries(matches).flatMap(([name, values]) => values.map((value) => `${name}=${value}`)),
  ];
}

async function collect(entries: AsyncIterable<readonly ExportField[]>): Promise<(readonly ExportField[])[]> {
  const collected = [];
  for await (const entry of entries) collected.push(entry);
  return collected;
}

function cursorOf(entry: readonly ExportField[]): string {
  return entry.find(([name]) => name === '__CURSOR')?.[1].toString() ?? '';
}

void test('what is included is what journalctl shows', { skip: withoutSystemd }, async (t) => {
  const path = join(temporaryDirectory(t), 'a.journal');
  const boot: ExportField[] = [
    ['__REALTIME_TIMESTAMP', Buffer.from('1700000000000000')],
    ['__MONOTONIC_TIMESTAMP', Buffer.from('1000000')],
    ['_BOOT_ID', Buffer.from('0123456789abcdef0123456789abcdef')],
  ];
  const made = fc.sample(fc.array(field, { minLength: 3, maxLength: 12 }), { seed: 1, numRuns: 1000 });
  await writeWithSystemd(
    path,
    made.map((fields) => [...boot, ...fields.map(([name, value]): ExportField => [name, Buffer.from(value)])]),
  );
  const entries = await collect(readWithSystemd([path]));
  t.equal(entries.length, made.length);
  let shown = 0;
  for (const include of fc.sample(criteria, { seed: 2, numRuns: 150 })) {
    const args = [...argumentsOf(include), '--file', path, '--output', 'export', '--all', '--quiet'];
    const wanted = await collect(parseExport([execFileSync('journalctl', args, { maxBuffer: 2 ** 26 })]));
    const selection = new EntrySelection(include, undefined);
    const isChosen = (entry: readonly ExportField[]): boolean =>
      selection.accepts(entry.reduce((bits, [name, value]) => bits | selection.bitsOf(name, value), 0));
    const found = entries.filter(isChosen);
    if (JSON.stringify(found.map(cursorOf)) !== JSON.stringify(wanted.map(cursorOf)))
      t.same(found, wanted, argumentsOf(include).join(' '));
    shown += wanted.length;
  }
  t.ok(shown > 1000, `${shown} entries were shown in all`);
});
