/** TLS between a real agent and real receivers: who is let in, who is not and what the operator sees of it, and files that are replaced. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { type Test, test } from 'tap';
import {
  type Destination,
  type Options,
  readTopic,
  type Running,
  type RunningReceiver,
  scrape,
  startAgent,
  startInVain,
  startReceiver,
  stop,
} from '../helpers/agents.ts';
import { type Certificate, makeCertificate } from '../helpers/certificates.ts';
import { InPath } from '../helpers/in_path.ts';
import { PipeWriter } from '../helpers/pipe_writer.ts';
import type { LogLine } from '../helpers/sluice_process.ts';
import { temporaryDirectory } from '../helpers/temporary_directory.ts';
import { waitFor } from '../helpers/wait_for.ts';

const TOPIC = 'app';
const DEAD_LETTERS = `dead-letter.log-a.${TOPIC}`;
const HOST = '127.0.0.1';
const DEADLINE_MS = 30_000;

/** Nothing here is about silence, which a busy machine could be taken for; and `/readyz` is looked at before records go elsewhere. */
const LOGX = { ack_timeout: '10s', divert_after: '3s' };

const authority = makeCertificate({ name: 'Logs CA', isAuthority: true });
const stranger = makeCertificate({ name: 'Another CA', isAuthority: true });

function receiverCertificate(issuer: Certificate): Certificate {
  return makeCertificate({ name: 'log-a', hosts: [HOST], issuer });
}

function agentCertificate(issuer: Certificate): Certificate {
  return makeCertificate({ name: 'web-1', issuer });
}

/** One directory with the files of all, and a receiver `log-a` that lets in agents with a certificate of the authority only. */
class Site {
  readonly directory: string;
  readonly #t: Test;

  constructor(t: Test) {
    this.#t = t;
    this.directory = temporaryDirectory(t);
    this.write('ca.pem', authority.certificate);
  }

  /** Replaces a file in one step, as whoever renews certificates should. */
  write(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    return path;
  }

  install(name: string, { certificate, key }: Certificate) {
    return { certificate: this.write(`${name}.pem`, certificate), key: this.write(`${name}.key`, key) };
  }

  async startEncrypted(): Promise<RunningReceiver> {
    const client_ca = this.write('clients.pem', authority.certificate);
    const tls = { ...this.install('log-a', receiverCertificate(authority)), client_ca, min_version: 'TLSv1.3' };
    return startReceiver(this.#t, { directory: this.directory, name: 'log-a', cfjs1: { tls } });
  }

  startPlain(): Promise<RunningReceiver> {
    return startReceiver(this.#t, { directory: this.directory, name: 'log-b' });
  }

  /** An agent with one pipe; `tls` is what it has besides the authority for connections to `log-a`. */
  async startAgent(name: string, { port }: { readonly port: number }, tls: Options, others: readonly Destination[] = []) {
    const path = join(this.directory, `${name}.pipe`);
    const options = { tls: { ca: join(this.directory, 'ca.pem'), min_version: 'TLSv1.3', ...tls } };
    const running = await startAgent(this.#t, {
      directory: this.directory,
      name,
      receivers: { pipe: { path, log_format: TOPIC } },
      destinations: [{ name: 'log-a', port, isEncrypted: true, options }, ...others],
      logx: LOGX,
      service: { shutdown_timeout: '500ms' },
    });
    return { ...running, writer: new PipeWriter(this.#t, path) };
  }
}

function messages(receiver: RunningReceiver, topic = TOPIC): unknown[] {
  return readTopic(receiver, topic).map(({ wrapper }) => wrapper['message']);
}

async function arrived(receiver: RunningReceiver, expected: readonly string[], topic = TOPIC): Promise<void> {
  await waitFor(() => messages(receiver, topic).length >= expected.length, {
    what: `${receiver.name} to have ${expected.join(', ')} in ${topic}`,
    deadlineMs: DEADLINE_MS,
  });
}

/** What `/readyz` says while something is not ready and the reasons match. */
async function notReady({ process, telemetry }: Running, reason: RegExp): Promise<string> {
  let page = '';
  const isSeen = async (): Promise<boolean> => {
    const response = await fetch(`http://${telemetry}/readyz`);
    page = await response.text();
    return response.status === 503 && reason.test(page);
  };
  await waitFor(isSeen, { what: `/readyz of ${process.name} to say why`, deadlineMs: DEADLINE_MS }).catch((cause: unknown) => {
    throw new Error(`the last that /readyz said is ${page}\n${process.stderr}`, { cause });
  });
  return page;
}

function warnings({ process }: Running, reason: RegExp): LogLine[] {
  return process.log.filter((line) => line['level'] === 'warn' && reason.test(String(line['reason'])));
}

function isReload(line: LogLine): boolean {
  return line['message'] === 'TLS files have changed and are used from now on';
}

/** The version of TLS that a client of its own agrees on with the receiver. */
function protocolOf(port: number, { certificate: cert, key }: Certificate, maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port, ca: authority.certificate, cert, key, maxVersion });
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol() ?? 'none');
      socket.destroy();
    });
    socket.once('error', () => resolve('none'));
  });
}

void test('records go over TLS 1.3 to a receiver that wants a certificate, and files that are replaced are used without a restart', async (t) => {
  const site = new Site(t);
  const receiver = await site.startEncrypted();
  const path = await InPath.start(t, receiver.port);
  const ours = agentCertificate(authority);
  const agent = await site.startAgent('agent', path, site.install('agent', ours));
  await agent.writer.write('one');
  await arrived(receiver, ['one']);
  t.equal(await protocolOf(receiver.port, ours, 'TLSv1.3'), 'TLSv1.3');
  t.equal(await protocolOf(receiver.port, ours, 'TLSv1.2'), 'none');

  // The new certificate has another authority, so that neither side can go on with what it has read before.
  site.install('log-a', receiverCertificate(stranger));
  site.write('ca.pem', stranger.certificate);
  await waitFor(() => receiver.process.log.some(isReload), { what: 'the receiver to use them', deadlineMs: DEADLINE_MS });
  await agent.writer.write('two');
  await arrived(receiver, ['one', 'two']);
  t.notOk(agent.process.log.some(isReload), 'a connection that is open goes on with what it has');

  path.heal(); // which cuts it
  await agent.writer.write('three');
  await arrived(receiver, ['one', 'two', 'three']);
  t.same(messages(receiver), ['one', 'two', 'three']);
  t.ok(agent.process.log.some(isReload), 'the agent has read them before its next connection');
  t.equal((await scrape(agent)).sum('sluice_tls_reloads_total', { result: 'ok' }), 1);
  t.ok((await scrape(agent)).sum('sluice_logx_connections_total') >= 2);
  for (const running of [agent, receiver]) t.same(await stop(running), { code: 0, signal: null });
});

void test('an agent without a certificate, or with a foreign one, is refused, its records go elsewhere, and both logs say why', async (t) => {
  const site = new Site(t);
  const [a, b] = await Promise.all([site.startEncrypted(), site.startPlain()]);
  const foreign = site.install('foreign', agentCertificate(stranger));
  const cases = [
    { name: 'bare', tls: {}, told: /the peer wants a certificate: set tls\.certificate and tls\.key/, seen: /the peer has no certificate/ }, // prettier-ignore
    { name: 'foreign', tls: foreign, told: /if it does not trust this agent's certificate, its log says so/, seen: /its authority is not in client_ca/ }, // prettier-ignore
  ];
  const refuse = async ({ name, tls, told, seen }: (typeof cases)[number]): Promise<void> => {
    const agent = await site.startAgent(name, a, tls, [b]);
    await agent.writer.write(name);
    t.match(await notReady(agent, told), 'log-a', `/readyz names the destination of ${name}`);
    await waitFor(() => messages(b, DEAD_LETTERS).includes(name), { what: `${name} at log-b`, deadlineMs: DEADLINE_MS });
    t.match(warnings(agent, told)[0], { destination: 'log-a' }, `${name} knows why`);
    t.ok(warnings(a, seen).length > 0, `the receiver knows what is wrong with ${name}`);
    t.equal((await scrape(agent)).sum('sluice_logx_diverted', { destination: 'log-a' }), 1);
    t.same(await stop(agent), { code: 0, signal: null });
  };
  await Promise.all(cases.map(refuse));
  const all = new Set(cases.map(({ name }) => name));
  t.same(new Set(messages(b, DEAD_LETTERS)), all, 'marked');
  t.same(new Set(messages(b)), all, 'and what was meant for it');
  t.same(messages(a), [], 'the receiver that refuses has none of it');
});

void test('a receiver with another name is given nothing, unless the name is the one that is asked for', async (t) => {
  const site = new Site(t);
  const [a, b] = await Promise.all([site.startEncrypted(), site.startPlain()]);
  const ours = site.install('agent', agentCertificate(authority));
  const [wrong, right] = await Promise.all([
    site.startAgent('wrong', a, { ...ours, server_name: 'log-a.example.net' }, [b]),
    site.startAgent('right', a, { ...ours, server_name: HOST }),
  ]);
  await wrong.writer.write('secret');
  await notReady(wrong, /log-a\.example\.net.*set tls\.server_name/);
  await arrived(b, ['secret'], DEAD_LETTERS);
  t.match(warnings(wrong, /log-a\.example\.net/)[0], { destination: 'log-a' });
  t.same(messages(a), []);
  t.same(await stop(wrong), { code: 0, signal: null });

  await right.writer.write('for log-a');
  await arrived(a, ['for log-a']);
  t.same(messages(a), ['for log-a']);
});

void test('an agent whose TLS files cannot be used does not start, and says what to do', async (t) => {
  const site = new Site(t);
  const { certificate } = site.install('agent', agentCertificate(authority));
  const { key } = site.install('other', agentCertificate(authority));
  const path = join(site.directory, 'app.pipe');
  const cases = [
    { tls: { ca: join(site.directory, 'none.pem') }, said: /none\.pem does not exist.*check the path under tls/s },
    { tls: { certificate, key }, said: /other\.key does not belong to the certificate .*agent\.pem.*the one that was made for the key/s }, // prettier-ignore
    { tls: { ca: key }, said: /other\.key cannot be used: it holds no certificate in PEM.*must be a file in PEM/s },
  ];
  const fail = async ({ tls, said }: (typeof cases)[number], index: number): Promise<void> => {
    const { code, stderr } = await startInVain(t, {
      directory: site.directory,
      name: `agent-${index}`,
      receivers: { pipe: { path } },
      destinations: [{ name: 'log-a', port: 6514, isEncrypted: true, options: { tls } }],
    });
    t.equal(code, 1);
    t.match(stderr, said);
  };
  await Promise.all(cases.map(fail));
});
