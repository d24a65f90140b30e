import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { type Test, test } from 'tap';
import { DELIVERED } from '../../../src/core/ack.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type Certificate, makeCertificate } from '../../../test/helpers/certificates.ts';
import { FakeReceiverContext } from '../../../test/helpers/contexts.ts';
import { temporaryDirectory } from '../../../test/helpers/temporary_directory.ts';
import { waitFor, within } from '../../../test/helpers/wait_for.ts';
import { options as schema } from './index.ts';
import { Cfjs1Receiver } from './receiver.ts';
import { FakeAgent } from './testdata/fake_agent.ts';
import { lineOf, messageOf } from './testdata/lines.ts';

const authority = makeCertificate({ name: 'Test CA', isAuthority: true });
const logA = makeCertificate({ name: 'log-a', hosts: ['127.0.0.1'], issuer: authority });
const web1 = makeCertificate({ name: 'web-1', issuer: authority });

/** A receiver over TLS that knows the authority of its clients. */
async function start(t: Test, options: Readonly<Record<string, unknown>> = {}) {
  const directory = temporaryDirectory(t);
  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const tls = {
    certificate: write('log-a.pem', logA.certificate),
    key: write('log-a.key', logA.key),
    client_ca: write('ca.pem', authority.certificate),
  };
  const context = new FakeReceiverContext({ clock: systemClock });
  const receiver = new Cfjs1Receiver(schema.parse({ listen: '127.0.0.1:0', name: 'log-a', tls, ...options }), context);
  await receiver.start();
  t.teardown(async () => {
    await receiver.stop();
    await receiver.close();
  });
  const port = receiver.port ?? 0;
  const agent = (own: Partial<Certificate>): FakeAgent =>
    new FakeAgent(connect({ port, host: '127.0.0.1', ca: authority.certificate, cert: own.certificate, key: own.key }));
  const failures = (): number => context.metrics.sum('sluice_cfjs1_failed_handshakes_total');
  return { context, receiver, port, agent, failures };
}

void test('an agent with a certificate is served over TLS, and named in the log by it', async (t) => {
  const { context, agent, failures } = await start(t);
  const web = await agent(web1).greeted();
  web.send([lineOf('one')]);
  await waitFor(() => context.records.length === 1, { what: 'the record' });
  context.settleAll(DELIVERED);
  await waitFor(() => web.acks.includes(1), { what: 'the ack' });
  t.same(context.bodies.map(messageOf), ['one']);
  web.stream.write('GET / HTTP/1.1\r\n\r\n');
  await waitFor(() => web.isClosed, { what: 'the refusal' });
  t.match(context.log.lines.at(-1)?.fields, { peer: /^127\.0\.0\.1:\d+ \(CN=web-1\)$/, reason: /frame header/ });
  t.equal(failures(), 0);
});

void test('who has no certificate, speaks no TLS or says nothing is counted and logged, and disturbs nobody', async (t) => {
  const { context, port, agent, failures } = await start(t, { greeting_timeout: '300ms' });
  const anonymous = agent({});
  const [plain, silent] = [connectTcp(port, '127.0.0.1'), connectTcp(port, '127.0.0.1')];
  for (const socket of [plain, silent]) socket.on('error', () => {}).resume();
  plain.write(`${lineOf('in the clear')}\n`);
  await within(Promise.all([once(plain, 'close'), once(silent, 'close')]), { what: 'the connections to be closed' });
  await waitFor(() => anonymous.isClosed, { what: 'the agent to be closed' });
  t.equal(failures(), 3);
  const reasons = context.log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields['reason']));
  t.same(reasons.sort(), ['the TLS handshake took too long', 'the peer does not speak TLS', 'the peer has no certificate']);
  t.equal(context.metrics.sum('sluice_cfjs1_connections_total'), 0);
  await agent(web1).greeted();
  t.equal(context.records.length, 0);
});

void test('a stop ends handshakes that are not done', async (t) => {
  const { receiver, port, agent } = await start(t);
  const silent = connectTcp(port, '127.0.0.1').on('error', () => {});
  await once(silent, 'connect');
  await agent(web1).greeted(); // connections are taken in turn, so the silent one has been
  await receiver.stop();
  await within(once(silent.resume(), 'close'), { what: 'the connection to be closed' });
  t.equal(receiver.port, undefined);
});

void test('a certificate that cannot be used stops the start', async (t) => {
  const tls = { certificate: '/nonexistent/log-a.pem', key: '/nonexistent/log-a.key' };
  await t.rejects(start(t, { tls }), { code: 'path_missing', message: /certificate \/nonexistent\/log-a\.pem/ });
});
