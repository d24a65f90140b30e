/** Endpoints over TLS, with real sockets and real time. */
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { listen } from '../../../src/kit/listen.ts';
import { TlsServer } from '../../../src/kit/tls.ts';
import { serverTls } from '../../../src/kit/tls_options.ts';
import { makeBatch } from '../../../test/helpers/batches.ts';
import { type Certificate, makeCertificate } from '../../../test/helpers/certificates.ts';
import { FakeExporterContext } from '../../../test/helpers/contexts.ts';
import { temporaryDirectory } from '../../../test/helpers/temporary_directory.ts';
import { waitFor } from '../../../test/helpers/wait_for.ts';
import { LogxExporter } from './exporter.ts';
import definition, { options as schema } from './index.ts';
import { FakeReceiver } from './testdata/fake_receiver.ts';

const authority = makeCertificate({ name: 'Test CA', isAuthority: true });
const agent = makeCertificate({ name: 'web-1', issuer: authority });
const logA = makeCertificate({ name: 'log-a', hosts: ['127.0.0.1'], issuer: authority });

class Site {
  readonly #t: Test;
  readonly #directory: string;
  readonly refusals: string[] = [];

  constructor(t: Test) {
    this.#t = t;
    this.#directory = temporaryDirectory(t);
  }

  write(name: string, text: string): string {
    const path = join(this.#directory, name);
    writeFileSync(path, text);
    return path;
  }

  install(name: string, { certificate, key }: Certificate) {
    return { certificate: this.write(`${name}.pem`, certificate), key: this.write(`${name}.key`, key) };
  }

  get ca(): string {
    return this.write('ca.pem', authority.certificate);
  }

  /** A receiver over TLS that asks for certificates; returns its endpoint. */
  async receive(receiver: FakeReceiver, certificate = logA): Promise<string> {
    const context = new FakeExporterContext({ clock: systemClock });
    const refused = (_: string, reason: string): void => void this.refusals.push(reason);
    const options = serverTls().parse({ ...this.install('server', certificate), client_ca: this.ca });
    const tls = new TlsServer(options, { clock: systemClock, log: context.log, metrics: context.metrics, refused });
    const endpoint = await this.#listen(tls.createServer({ handshakeTimeout: 10_000 }, (socket) => receiver.accept(socket)), receiver); // prettier-ignore
    this.#t.teardown(() => tls.stop());
    return `tls://${endpoint}`;
  }

  async receivePlainly(receiver: FakeReceiver): Promise<string> {
    return this.#listen(
      createServer((socket) => receiver.accept(socket)),
      receiver,
    );
  }

  async #listen(server: Server, receiver: FakeReceiver): Promise<string> {
    await listen(server, { host: '127.0.0.1', port: 0 }, () => {});
    this.#t.teardown(() => {
      receiver.dropAll();
      server.close();
    });
    const address = server.address();
    return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  exporter(destinations: Record<string, unknown>) {
    const options = schema.parse({ destinations, ack_timeout: '2s', divert_after: '100ms' });
    const context = new FakeExporterContext({
      clock: systemClock,
      destinations: definition.destinations?.(options, 'logx') ?? [],
    });
    const exporter = new LogxExporter(options, context);
    this.#t.teardown(() => exporter.stop(0));
    context.spool.push(makeBatch(['one', 'two'], { epoch: 'e', format: 'log' }));
    return { context, exporter };
  }
}

void test('records go over TLS, with the certificates of both sides checked', async (t) => {
  const [site, receiver] = [new Site(t), new FakeReceiver()];
  const endpoint = await site.receive(receiver);
  const { context, exporter } = site.exporter({ 'log-a': { endpoint, tls: { ca: site.ca, ...site.install('agent', agent) } } });
  await exporter.start();
  await waitFor(() => context.spool.isEmpty, { what: 'every record to be acked' });
  t.same(receiver.messages, ['one', 'two']);
  t.same(exporter.readiness(), { ready: true, reason: '' });
});

void test('a receiver that cannot be trusted gets no records, and they go elsewhere', async (t) => {
  const impostor = makeCertificate({ name: 'log-a', hosts: ['127.0.0.1'] });
  const nameless = makeCertificate({ name: 'log-a', hosts: ['log-b.test'], issuer: authority });
  for (const [certificate, reason] of [
    [impostor, /signed by itself and is not in tls\.ca/],
    [nameless, /127\.0\.0\.1/],
  ] as const) {
    const [site, receiver, other] = [new Site(t), new FakeReceiver(), new FakeReceiver()];
    const endpoint = await site.receive(receiver, certificate);
    const { context, exporter } = site.exporter({
      'log-a': { endpoint, tls: { ca: site.ca, ...site.install('agent', agent) } },
      'log-b': { endpoint: `tcp://${await site.receivePlainly(other)}` },
    });
    await exporter.start();
    await waitFor(() => context.spool.isEmpty, { what: 'every record to be acked' });
    t.same(receiver.stored, []);
    t.equal(other.messages.length, 4);
    t.match(context.log.lines[0]?.fields, { destination: 'log-a', reason });
    t.ok((context.metrics.value('sluice_logx_troubles_total', { destination: 'log-a', trigger: 'tls' }) ?? 0) >= 1);
  }
});

void test('a receiver that does not trust the agent, or does not speak TLS, is told of', async (t) => {
  const [site, receiver, plain] = [new Site(t), new FakeReceiver(), new FakeReceiver({ isPlain: true })];
  const cases = [
    [await site.receive(receiver), /the peer wants a certificate: set tls\.certificate/],
    [`tls://${await site.receivePlainly(plain)}`, /no TLS handshake in time/],
  ] as const;
  for (const [endpoint, reason] of cases) {
    const { context, exporter } = site.exporter({ 'log-a': { endpoint, tls: { ca: site.ca } } });
    await exporter.start();
    const labels = { destination: 'log-a', trigger: 'tls' };
    const troubles = (): number => context.metrics.value('sluice_logx_troubles_total', labels) ?? 0;
    await waitFor(() => troubles() > 0, { what: 'the trouble' });
    t.match(context.log.lines[0]?.fields, { reason });
    t.match(exporter.readiness(), { ready: false, reason });
  }
});

void test('files that cannot be used stop the start', async (t) => {
  const site = new Site(t);
  const { exporter } = site.exporter({ 'log-a': { endpoint: 'tls://127.0.0.1:1', tls: { ca: '/nonexistent/ca.pem' } } });
  await t.rejects(exporter.start(), { code: 'path_missing', message: /\/nonexistent\/ca\.pem does not exist/ });
});
