import { test } from 'tap';
import definition, { options } from './index.ts';

function problems(destinations: Record<string, unknown>): string[] {
  const { error } = options.safeParse({ destinations });
  return error?.issues.map(({ message }) => message) ?? [];
}

void test('two destinations with one endpoint are refused, since each record would be stored twice and go nowhere else', (t) => {
  const a = { endpoint: 'tcp://127.0.0.1:6514' };
  t.match(problems({ 'log-a': a, 'log-b': a }), [/one endpoint twice/]);
  t.match(problems({ 'log-a': { endpoints: [a.endpoint, a.endpoint] } }), [/one endpoint twice/]);
  t.same(problems({ 'log-a': a, 'log-b': { endpoint: 'tcp://127.0.0.1:6515' } }), []);
  t.end();
});

void test('replicate has a cursor for every destination, failover for the first', (t) => {
  const destinations = { 'log-a': { endpoint: 'tcp://127.0.0.1:6514' }, 'log-b': { endpoint: 'tcp://127.0.0.1:6515' } };
  const names = (mode: string) => definition.destinations?.(options.parse({ mode, destinations }), 'logx');
  t.same(names('replicate'), ['log-a', 'log-b']);
  t.same(names('failover'), ['log-a']);
  t.end();
});

void test('a destination has an endpoint or several, over TCP or TLS', (t) => {
  const endpoints = ['tls://log-a1.test:6514', 'tcp://[::1]:6514'];
  t.same(problems({ 'log-a': { endpoints } }), []);
  t.same(problems({ 'log-a': { endpoint: endpoints[0] } }), []);
  t.match(problems({ 'log-a': {} }), [/either endpoint or endpoints/]);
  t.match(problems({ 'log-a': { endpoint: endpoints[0], endpoints } }), [/either endpoint or endpoints/]);
  for (const wrong of ['udp://log-a:1', 'log-a:6514', 'tls://log-a', 'tcp://log-a:0'])
    t.match(problems({ 'log-a': { endpoint: wrong } }), [/must be tcp:\/\/host:port or tls:\/\/host:port/]);
  t.end();
});

void test('tls is refused where nothing would be encrypted', (t) => {
  for (const tls of [{ ca: '/ca.pem' }, { verify: false }, { min_version: 'TLSv1.3' }, {}]) {
    t.match(problems({ 'log-a': { endpoint: 'tcp://log-a:6514', tls } }), [
      /no endpoint is tls:\/\/.*write tls:\/\/host:port, or leave tls out/,
    ]);
    t.same(problems({ 'log-a': { endpoint: 'tls://log-a:6514', tls } }), []);
  }
  t.end();
});

void test('compression is refused where lines are sent as they are', (t) => {
  const plain = { endpoint: 'tcp://log-a:6514', acknowledged: false };
  t.match(problems({ 'log-a': { ...plain, compression: 'zstd' } }), [/leave it out with acknowledged: false/]);
  t.same(problems({ 'log-a': { ...plain, compression: 'none' } }), []);
  t.same(problems({ 'log-a': { ...plain, acknowledged: true, compression: 'zstd' } }), []);
  t.end();
});
