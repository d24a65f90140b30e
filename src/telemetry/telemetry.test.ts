import { once } from 'node:events';
import { connect } from 'node:net';
import { type Test, test } from 'tap';
import { silentLog } from '../core/log.ts';
import { RecordingLog } from '../../test/helpers/recording.ts';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { createTelemetry, type Telemetry } from './telemetry.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

/** A started telemetry on a port of its own, stopped when the test ends. */
async function started(t: Test, clock = new VirtualClock(), log = silentLog): Promise<{ telemetry: Telemetry; origin: string }> {
  const telemetry = createTelemetry({ address: LOOPBACK, maxSeries: 100, log, clock, version: '1.2.3' });
  await telemetry.start();
  t.teardown(() => telemetry.stop());
  return { telemetry, origin: `http://127.0.0.1:${telemetry.port}` };
}

void test('metrics are served in the Prometheus text format', async (t) => {
  const { telemetry, origin } = await started(t);
  telemetry.metrics.forComponent('pipe').counter('sluice_x_records_total', 'X.').add(3);
  telemetry.ledger.account('pipe').accepted(1);
  const response = await fetch(`${origin}/metrics`);
  t.equal(response.status, 200);
  t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  t.match(text, 'sluice_x_records_total{component="pipe"} 3\n');
  t.match(text, 'sluice_ledger_unaccounted_records{receiver="pipe"} 1\n');
  t.match(text, 'sluice_build_info{version="1.2.3"');
});

void test('liveness turns to 503 and names the stage that is stuck', async (t) => {
  const clock = new VirtualClock();
  const { telemetry, origin } = await started(t, clock);
  t.equal((await fetch(`${origin}/healthz`)).status, 200);
  telemetry.health.registerProgress('logx', { hasWork: () => true, progress: () => 5, deadlineMs: 30_000 });
  clock.advance(31_000);
  const response = await fetch(`${origin}/healthz`);
  t.equal(response.status, 503);
  t.match(await response.json(), { alive: false, stages: [{ stage: 'logx', reason: /has not moved for 31 s/ }] });
});

void test('readiness is 200 or 503 with each stage that is not ready and why', async (t) => {
  const { telemetry, origin } = await started(t);
  telemetry.health.register('topics', () => ({ ready: false, reason: 'the disk is full' }));
  const response = await fetch(`${origin}/readyz`);
  t.equal(response.status, 503);
  t.same(await response.json(), { ready: false, stages: [{ stage: 'topics', reason: 'the disk is full' }] });
  telemetry.health.unregister('topics');
  const later = await fetch(`${origin}/readyz`);
  t.equal(later.status, 200);
  t.same(await later.json(), { ready: true, stages: [] });
});

void test('the index lists the pages, other paths are 404 and other methods 405', async (t) => {
  const { origin } = await started(t);
  const index = await (await fetch(`${origin}/`)).text();
  for (const path of ['/metrics', '/healthz', '/readyz']) t.match(index, `\n${path} `);
  const missing = await fetch(`${origin}/metric`);
  t.equal(missing.status, 404);
  t.match(await missing.text(), /there is no \/metric here/);
  const posted = await fetch(`${origin}/metrics?x=1`, { method: 'POST', body: 'x'.repeat(100_000) });
  t.equal(posted.status, 405);
  t.equal(posted.headers.get('allow'), 'GET, HEAD');
});

void test('HEAD gets the headers and no body, and a query is ignored', async (t) => {
  const { origin } = await started(t);
  const response = await fetch(`${origin}/readyz?verbose`, { method: 'HEAD' });
  t.equal(response.status, 200);
  t.equal(await response.text(), '');
  t.ok(Number(response.headers.get('content-length')) > 0);
});

void test('a page that cannot be made is a 500 that says why and is logged, and the server goes on', async (t) => {
  const log = new RecordingLog();
  const { telemetry, origin } = await started(t, new VirtualClock(), log);
  telemetry.health.register('broken', () => {
    throw new Error('no such stage');
  });
  const response = await fetch(`${origin}/readyz`);
  t.equal(response.status, 500);
  t.match(await response.text(), /no such stage/);
  t.match(log.lines, [{ level: 'error', fields: { url: '/readyz', error: 'no such stage' } }]);
  t.equal((await fetch(`${origin}/metrics`)).status, 200);
});

void test('headers without end are refused', async (t) => {
  const { telemetry } = await started(t);
  const socket = connect(telemetry.port ?? 0, '127.0.0.1');
  socket.on('error', () => {}); // the refusal may come as a reset
  socket.write(`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(9 * 1024)}`);
  let answer = '';
  socket.setEncoding('latin1').on('data', (data: string) => (answer += data));
  await new Promise((resolve) => socket.once('close', resolve));
  t.match(answer, /^HTTP\/1\.1 431 /);
});

void test('an address that is taken is an error that names it and says what to do', async (t) => {
  const { telemetry } = await started(t);
  const address = { host: '127.0.0.1', port: telemetry.port ?? 0 };
  const second = createTelemetry({ address, maxSeries: 1, log: silentLog, clock: new VirtualClock(), version: '1' });
  await t.rejects(second.start(), {
    name: 'SluiceError',
    code: 'address_in_use',
    message: `the telemetry address 127.0.0.1:${address.port} is taken by another program`,
    hint: /choose another service\.telemetry\.address/,
  });
  await second.stop();
});

void test('an address that is not of this host is an error in the configuration', async (t) => {
  const address = { host: '192.0.2.1', port: 1 };
  const telemetry = createTelemetry({ address, maxSeries: 1, log: silentLog, clock: new VirtualClock(), version: '1' });
  await t.rejects(telemetry.start(), { code: 'config_invalid', message: /192\.0\.2\.1:1 cannot be listened on/ });
});

void test('stopping does not wait for keep-alive clients nor for half a request, and frees the port', async (t) => {
  const { telemetry, origin } = await started(t);
  await (await fetch(`${origin}/`)).text(); // leaves a keep-alive connection behind
  const socket = connect(telemetry.port ?? 0, '127.0.0.1');
  socket.on('error', () => {});
  // One request and the beginning of another in one piece: once the first is answered, the second has begun.
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\nGET /metrics HTTP/1.1\r\nhost');
  await once(socket, 'data');
  const port = telemetry.port ?? 0;
  const before = performance.now();
  await telemetry.stop();
  t.ok(performance.now() - before < 2000);
  t.equal(telemetry.port, undefined);
  await t.rejects(fetch(`http://127.0.0.1:${port}/`));
  await telemetry.stop();
});

void test('stopping before starting, and telemetry without an address, are fine', async (t) => {
  const telemetry = createTelemetry({
    address: undefined,
    maxSeries: 1,
    log: silentLog,
    clock: new VirtualClock(),
    version: '1',
  });
  await telemetry.stop();
  await telemetry.start();
  t.equal(telemetry.port, undefined);
  await telemetry.stop();
});
