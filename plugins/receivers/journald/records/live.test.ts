/** What a real journald makes of long lines, and of more lines than it takes. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'tap';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import { type RunningJournald, startJournald, withoutJournald } from '../testdata/journald.ts';
import { readJournal, type ReadOptions } from '../testdata/read_journal.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

/** Writes `text` as the standard output of a unit, and ends. */
async function writeAs(journald: RunningJournald, unit: string, ...texts: readonly string[]): Promise<void> {
  const stream = connect({ path: journald.sockets.stdout, allowHalfOpen: true });
  await once(stream, 'connect');
  // As systemd begins a service's stream: identifier, unit, priority, whether lines may begin with a level, and three switches.
  stream.write(`${unit}\n${unit}.service\n6\n1\n0\n0\n0\n`);
  for (const text of texts) await new Promise<void>((resolve) => stream.write(text, () => resolve()));
  const closed = once(stream, 'close');
  stream.end();
  await closed;
}

/** The records of units' lines. */
function linesOf(journald: RunningJournald, options: ReadOptions = {}) {
  const { records, ...rest } = readJournal(journald.directory, { fields: ['_LINE_BREAK'], ...options });
  return { ...rest, records: records.filter(({ service }) => /^(?:long|short|noisy)/.test(service)) };
}

void test('lines that a real journald cuts are joined again', { skip: withoutJournald }, async (t) => {
  const journald = await startJournald(temporaryDirectory(t), { configuration: ['LineMax=100'] });
  t.teardown(() => journald.stop());
  const long = Array.from({ length: 99 }, (_, number) => `é${number}`).join(' ');
  const json = `{"text":"${'x'.repeat(500)}"}`;
  await writeAs(journald, 'long', `<3>${long}\nshort\n${json}\n`, 'y'.repeat(250));
  // journald may turn to a stream that came later before one that came earlier.
  await journald.sync();
  await writeAs(journald, 'short', 'one\ntwo\n');
  await journald.sync();
  const { records } = linesOf(journald, { parseJson: true });
  t.match(records, [
    { body: long, kind: 'text', severity: 17, fields: '' },
    { body: 'short', severity: 9 },
    { body: json, kind: 'json' },
    { body: 'y'.repeat(250), fields: '"_LINE_BREAK":"eof"', partial: false },
    { body: 'one' },
    { body: 'two' },
  ]);
  t.equal(records.length, 6);
});

void test('what a real journald drops is what is counted', { skip: withoutJournald }, async (t) => {
  const configuration = ['RateLimitIntervalSec=500ms', 'RateLimitBurst=5'];
  const journald = await startJournald(temporaryDirectory(t), { configuration });
  t.teardown(() => journald.stop());
  let written = 0;
  const write = async (count: number): Promise<void> => {
    const lines = Array.from({ length: count }, () => `${written++}\n`);
    await writeAs(journald, 'noisy', lines.join(''));
    await journald.sync();
  };
  await write(200);
  // journald says so with the first message that it takes again.
  await waitFor(
    async () => {
      await write(1);
      return linesOf(journald).suppressed.length > 0;
    },
    { what: 'journald to take messages again', deadlineMs: 20_000 },
  );
  const { records, suppressed } = linesOf(journald);
  const shipped = new Set(records.map(({ body }) => Number(body)));
  const dropped = Array.from({ length: written }, (_, number) => number).filter((number) => !shipped.has(number));
  t.ok(shipped.size >= 5 && dropped.length > 100, `${shipped.size} were taken, ${dropped.length} dropped`);
  t.same(suppressed, [{ count: dropped.length, unit: 'noisy.service' }]);
});
