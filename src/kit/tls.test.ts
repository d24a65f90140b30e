import { chmodSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type Server, type TLSSocket } from 'node:tls';
import { type Test, test } from 'tap';
import { type Certificate, makeCertificate } from '../../test/helpers/certificates.ts';
import { RecordingLog, RecordingMetrics } from '../../test/helpers/recording.ts';
import { temporaryDirectory } from '../../test/helpers/temporary_directory.ts';
import { asOrdinaryUser } from '../../test/helpers/users.ts';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { listen } from './listen.ts';
import { explainTlsError, TlsClient, TlsServer } from './tls.ts';
import { clientTls, serverTls } from './tls_options.ts';

const authority = makeCertificate({ name: 'Test CA', isAuthority: true });
const logA = makeCertificate({ name: 'log-a', hosts: ['log-a.test', '127.0.0.1'], issuer: authority });
const agent = makeCertificate({ name: 'web-1', issuer: authority });

/** Files in a directory, a server and clients over them. */
class Site {
  readonly clock = new VirtualClock(Date.now() * 1000);
  readonly log = new RecordingLog();
  readonly metrics = new RecordingMetrics();
  readonly refusals: string[] = [];
  readonly #t: Test;
  readonly #directory: string;
  server: Server | undefined;

  constructor(t: Test) {
    this.#t = t;
    this.#directory = temporaryDirectory(t);
    this.write('ca.pem', authority.certificate);
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  write(name: string, text: string): string {
    writeFileSync(this.path(`${name}.new`), text);
    renameSync(this.path(`${name}.new`), this.path(name));
    return this.path(name);
  }

  /** Writes a certificate and its key; returns the options that name them. */
  install(name: string, { certificate, key }: Certificate) {
    return { certificate: this.write(`${name}.pem`, certificate), key: this.write(`${name}.key`, key) };
  }

  client(options: Record<string, unknown> = {}): TlsClient {
    const client = new TlsClient(clientTls().parse({ ca: this.path('ca.pem'), ...options }), this);
    client.start();
    return client;
  }

  /** A server that sends `hello` to whoever may come in; returns its port. */
  async serve(options: Record<string, unknown> = {}, certificate = logA, handshakeTimeout = 10_000): Promise<number> {
    const refused = (_: string, reason: string): void => void this.refusals.push(reason);
    const parts = { clock: this.clock, log: this.log, metrics: this.metrics, refused };
    const tls = new TlsServer(serverTls().parse({ ...this.install('server', certificate), ...options }), parts);
    const server = tls.createServer({ handshakeTimeout }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.end('hello');
    });
    await listen(server, { host: '127.0.0.1', port: 0 }, () => {});
    this.server = server;
    this.#t.teardown(() => {
      tls.stop();
      server.close();
    });
    return this.port;
  }

  get port(): number {
    const address = this.server?.address();
    if (typeof address !== 'object' || address === null) throw new Error('it does not listen');
    return address.port;
  }

  /** What a client gets: `hello`, or why not. */
  async visit(client: TlsClient, host = '127.0.0.1'): Promise<string> {
    const socket = client.connect({ host, port: this.port });
    try {
      return await read(socket);
    } catch (error) {
      return explainTlsError(error);
    }
  }

  messages(): string[] {
    return this.log.lines.map(({ message, fields }) => [message, fields['reason']].join(' '));
  }
}

async function read(socket: TLSSocket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  await once(socket, 'end');
  return text;
}

void test('a peer with the right name and authority is talked to', async (t) => {
  const site = new Site(t);
  await site.serve();
  t.equal(await site.visit(site.client()), 'hello', 'by its address');
  t.equal(await site.visit(site.client({ server_name: 'log-a.test' })), 'hello', 'by its name');
  const socket = site.client({ server_name: 'log-a.test' }).connect({ host: '127.0.0.1', port: site.port });
  await once(socket, 'secureConnect');
  t.equal(socket.getProtocol(), 'TLSv1.3');
  await read(socket);
});

void test('a peer with another name, another authority or none is not', async (t) => {
  const site = new Site(t);
  await site.serve();
  t.match(await site.visit(site.client({ server_name: 'log-b.test' })), /log-b\.test.*log-a\.test.*set tls\.server_name/);
  const other = makeCertificate({ name: 'Other CA', isAuthority: true });
  t.match(await site.visit(site.client({ ca: site.write('other.pem', other.certificate) })), /authority .* is not in tls\.ca/);
  t.equal(await site.visit(site.client({ server_name: 'log-b.test', verify: false })), 'hello', 'unless nobody checks');
  t.match(site.messages().at(-1), /whoever answers is trusted/);
});

void test('a certificate that has expired is refused by the peer, and told at the start with its date', async (t) => {
  const site = new Site(t);
  const until = new Date('2026-01-02T03:04:05Z');
  await site.serve({}, makeCertificate({ name: 'old', hosts: ['127.0.0.1'], issuer: authority, until }));
  t.match(site.messages(), ['a certificate expired on 2026-01-02T03:04:05.000Z ']);
  t.match(site.log.lines[0]?.fields, { path: site.path('server.pem'), subject: 'CN=old' });
  t.match(await site.visit(site.client()), /has expired, or a clock is wrong/);
  const from = new Date(Date.now() + 86_400_000);
  site.client(site.install('early', makeCertificate({ name: 'early', issuer: authority, from })));
  t.match(site.messages().at(-1), `a certificate is not valid before ${from.toISOString().slice(0, 19)}`);
});

void test('a server that knows the authority of its clients lets in no others', async (t) => {
  const site = new Site(t);
  await site.serve({ client_ca: site.path('ca.pem') });
  t.equal(await site.visit(site.client(site.install('agent', agent))), 'hello');
  t.match(await site.visit(site.client()), /the peer wants a certificate: set tls\.certificate/);
  t.match(site.refusals, ['the peer has no certificate']);
  const foreign = makeCertificate({ name: 'Foreign CA', isAuthority: true });
  const until = new Date(Date.now() - 1000);
  for (const [certificate, reason] of [
    [makeCertificate({ name: 'stranger' }), /not good: it is signed by itself and is not in client_ca/],
    [makeCertificate({ name: 'stranger', issuer: foreign }), /not good: its authority is not in client_ca/],
    [makeCertificate({ name: 'late', issuer: authority, until }), /not good: it has expired/],
  ] as const) {
    t.not(await site.visit(site.client(site.install('stranger', certificate))), 'hello');
    t.match(site.refusals.at(-1), reason);
  }
});

void test('where a client certificate is not required, a bad one is refused all the same', async (t) => {
  const site = new Site(t);
  await site.serve({ client_ca: site.path('ca.pem'), require_client_certificate: false });
  t.equal(await site.visit(site.client()), 'hello');
  t.equal(await site.visit(site.client(site.install('agent', agent))), 'hello');
  const stranger = site.client(site.install('stranger', makeCertificate({ name: 'stranger' })));
  t.not(await site.visit(stranger), 'hello');
  t.match(site.refusals, [/its certificate is not good/]);
});

void test('a peer that does not speak TLS, or begins and goes no further, is refused', async (t) => {
  const site = new Site(t);
  await site.serve({}, logA, 300);
  const [plain, silent] = [connectTcp(site.port, '127.0.0.1'), connectTcp(site.port, '127.0.0.1')];
  for (const socket of [plain, silent]) socket.on('error', () => {}).resume();
  plain.write('{"format":"app","app":{"message":"in the clear"}}\n');
  await Promise.all([once(plain, 'close'), once(silent, 'close')]);
  t.match(site.refusals.sort(), ['the TLS handshake took too long', 'the peer does not speak TLS']);
});

void test('an old version of TLS is refused where a newer one is wanted', async (t) => {
  const site = new Site(t);
  await site.serve({ min_version: 'TLSv1.3' });
  t.equal(await site.visit(site.client()), 'hello');
  const old = connectTls({ host: '127.0.0.1', port: site.port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
  const [error] = await once(old, 'error').catch((error: unknown) => [error]);
  t.equal(explainTlsError(error), 'the peer speaks no version of TLS that min_version allows');
  t.notOk(clientTls().safeParse({ min_version: 'TLSv1.1' }).success);
});

void test('files that cannot be used stop the start, with the file and what to do', async (t) => {
  const site = new Site(t);
  const starts = (options: Record<string, unknown>, code: string, message: RegExp): void => {
    t.throws(() => site.client(options), { code, message, hint: /./ });
  };
  const good = site.install('agent', agent);
  starts({ ca: site.path('none.pem') }, 'path_missing', /the CA file .*none\.pem does not exist/);
  starts({ ca: join(site.path('x'), '..') }, 'config_invalid', /cannot be used: it is a directory/);
  starts({ ca: site.write('text', 'no PEM') }, 'config_invalid', /text cannot be used: it holds no certificate/);
  const broken = agent.certificate.replace(/\n..../, '\nAAAA');
  starts(
    { ...good, certificate: site.write('broken.pem', broken) },
    'config_invalid',
    /the certificate .*broken\.pem cannot be used/,
  );
  starts(
    { ...good, key: site.write('text.key', 'no PEM') },
    'config_invalid',
    /the key .*text\.key cannot be used: it holds no private key/,
  );
  starts({ ...good, key: good.certificate }, 'config_invalid', /agent\.pem cannot be used: it holds no private key/);
  const encrypted = agent.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });
  starts({ ...good, key: site.write('locked.key', encrypted) }, 'config_invalid', /locked\.key is protected by a passphrase/);
  starts(
    { ...good, key: site.write('other.key', logA.key) },
    'config_invalid',
    /other\.key does not belong to the certificate .*agent\.pem/,
  );
  chmodSync(good.key, 0);
  chmodSync(join(good.key, '..'), 0o755);
  await asOrdinaryUser(() => starts(good, 'permission_denied', /agent\.key may not be read by this user/));
});

void test('certificate and key come together', async (t) => {
  t.match(clientTls().safeParse({ certificate: '/a.pem' }).error?.issues, [{ message: /both certificate and key/ }]);
  t.match(clientTls().safeParse({ key: '/a.key' }).error?.issues, [{ message: /both certificate and key/ }]);
  t.ok(clientTls().safeParse({}).success);
});

void test('a client reads files that have changed before it connects again', async (t) => {
  const site = new Site(t);
  await site.serve({ client_ca: site.path('ca.pem') });
  const client = site.client(site.install('client', makeCertificate({ name: 'stranger' })));
  t.not(await site.visit(client), 'hello');
  site.install('client', agent);
  t.equal(await site.visit(client), 'hello');
  t.equal(site.metrics.value('sluice_tls_reloads_total', { path: site.path('client.pem'), result: 'ok' }), 1);
});

void test('a file that is broken leaves the ones before in use, and is told once', async (t) => {
  const site = new Site(t);
  await site.serve({ client_ca: site.path('ca.pem') });
  const client = site.client(site.install('client', agent));
  const renewed = makeCertificate({ name: 'web-1 renewed', issuer: authority });
  site.write('client.pem', renewed.certificate);
  for (let visit = 0; visit < 3; visit++) t.equal(await site.visit(client), 'hello');
  rmSync(site.path('client.key'));
  t.equal(await site.visit(client), 'hello');
  t.match(site.messages(), [/changed and cannot be used.*does not belong/, /changed and cannot be used.*does not exist/]);
  t.equal(site.metrics.value('sluice_tls_reloads_total', { path: site.path('client.pem'), result: 'failed' }), 2);
  site.write('client.key', renewed.key);
  t.equal(await site.visit(client), 'hello');
  t.match(site.messages().at(-1), /changed and are used from now on/);
});

void test('a server changes its certificate within 10 s, and keeps what it has where the new one is broken', async (t) => {
  const site = new Site(t);
  await site.serve();
  const serialOf = async (): Promise<string | undefined> => {
    const socket = site.client().connect({ host: '127.0.0.1', port: site.port });
    await once(socket, 'secureConnect');
    const { serialNumber } = socket.getPeerX509Certificate() ?? {};
    await read(socket);
    return serialNumber;
  };
  const before = await serialOf();
  site.install('server', makeCertificate({ name: 'log-a', hosts: ['127.0.0.1'], issuer: authority }));
  site.clock.advance(10_000);
  const renewed = await serialOf();
  t.not(renewed, before);
  site.write('server.pem', 'half of a cert');
  site.clock.advance(60_000);
  t.equal(await serialOf(), renewed);
  t.equal(site.messages().filter((message) => /cannot be used/.test(message)).length, 1);
  const expiry = site.metrics.value('sluice_tls_certificate_expiry_timestamp_seconds', { path: site.path('server.pem') }) ?? 0;
  t.ok(expiry > Date.now() / 1000);
});

void test('a file that is touched and has not changed does no harm', async (t) => {
  const site = new Site(t);
  await site.serve();
  const client = site.client();
  utimesSync(site.path('ca.pem'), new Date(), new Date());
  t.equal(await site.visit(client), 'hello');
});
