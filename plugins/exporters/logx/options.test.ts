import { test } from 'tap';
import definition, { options } from './index.ts';

function problems(destinations: Record<string, unknown>): string[] {
  const { error } = options.safeParse({ destinations });
  return error?.issues.map(({ message }) => message) ?? [];
}

void test('two destinations with one endpoint are refused, since each record would be stored twice and go nowhere else', (t) => {
  const a = { endpoint: 'tcp://127.0.0.1:6514' };
  t.match(problems({ 'log-a': a, 'log-b': a }), [/two destinations with one endpoint/]);
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
