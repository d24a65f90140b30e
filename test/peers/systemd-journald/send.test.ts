/** What a service sends to journald field by field arrives field by field, through a real journald, an agent and a receiver. */
import { join } from 'node:path';
import { test } from 'tap';
import { startJournald, withoutJournald } from '../../../plugins/receivers/journald/testdata/journald.ts';
import { readTopic, startAgent, startReceiver, stop } from '../../helpers/agents.ts';
import { temporaryDirectory } from '../../helpers/temporary_directory.ts';
import { waitFor } from '../../helpers/wait_for.ts';
import { send, withoutPeer } from './peer.ts';

const missing = withoutPeer() || withoutJournald;
const mustRun = process.env['SLUICE_REQUIRE_PEERS'] === '1';

const DEADLINE_MS = 20_000;

void test('the package systemd-journald can be run here', { skip: mustRun ? false : missing }, async (t) => {
  t.equal(missing, false);
});

void test('what the package systemd-journald sends arrives field by field', { skip: missing }, async (t) => {
  const directory = temporaryDirectory(t);
  const journald = await startJournald(directory);
  t.teardown(() => journald.stop());
  const receiver = await startReceiver(t, { directory, name: 'log-a' });
  const agent = await startAgent(t, {
    directory,
    receivers: { journald: { directory: journald.directory, start_at: 'beginning', fields: 'all' } },
    destinations: [receiver],
  });
  const long = 'grün '.repeat(2000); // journald cuts no field, and some readers do
  const pid = send(
    [
      { send: [4, 'MESSAGE=sent as it is', 'TWICE=one', 'TWICE=two', 'EMPTY=', 'WITH_EQUALS=a=b=c', '_FORGED=no'] },
      { level: 'err', message: 'several\nlines', fields: { user: { name: 'Zoë', id: 17 }, none: null, long } },
      { level: 'info', error: 'out of bounds' },
    ],
    journald.within,
  );
  const sent = () => readTopic(receiver, 'journal').filter(({ wrapper }) => wrapper['pid'] === pid);
  await waitFor(() => sent().length === 3, { what: 'the entries to arrive', deadlineMs: DEADLINE_MS });
  const [plain, structured, error] = sent().map(({ wrapper }) => wrapper);

  t.match(plain, { message: 'sent as it is', severity: 'warn', TWICE: ['one', 'two'], EMPTY: '', WITH_EQUALS: 'a=b=c' });
  t.equal(plain?.['_FORGED'], undefined, 'what only journald may say');
  t.match(structured, { message: 'several\nlines', severity: 'error', service: 'peer', identifier: 'peer', LONG: long });
  t.match(structured, { USER_NAME: 'Zoë', USER_ID: '17', NONE: 'null', transport: 'journal', uid: 0, PRIORITY: '3' });
  t.match(error, { message: 'out of bounds', severity: 'info', STACK_TRACE: /^RangeError: out of bounds\n +at / });
  t.match(error, { CODE_FILE: join(import.meta.dirname, 'send.cjs'), CODE_LINE: /^\d+$/, CODE_FUNC: 'Object.<anonymous>' });
  t.same(await stop(agent), { code: 0, signal: null });
});
