import { test } from 'tap';
import { encodeHello, encodeRefusal, parseAgentHello, parseReceiverHello, parseRefusal } from './hello.ts';

const agent = { version: 1, role: 'agent', name: 'web-1' } as const;
const receiver = { version: 1, role: 'receiver', name: 'log-a', ready: true, reason: '', max_frame_bytes: 65_536 } as const;

function lineOf(hello: unknown): string {
  return `${JSON.stringify({ format: 'sluice.hello', 'sluice.hello': hello })}\n`;
}

void test('a hello is read as it was written', (t) => {
  t.same(parseAgentHello(encodeHello(agent)), agent);
  t.same(parseAgentHello(encodeHello({ ...agent, boot: 'b-1' })), { ...agent, boot: 'b-1' });
  t.same(parseReceiverHello(encodeHello(receiver)), receiver);
  t.end();
});

void test('a later version may say more in its hello', (t) => {
  t.same(parseAgentHello(lineOf({ ...agent, version: 7, more: [1] })), { ...agent, version: 7 });
  t.end();
});

void test('any other line is not a hello', (t) => {
  const lines = [
    '',
    '{}',
    'x',
    'null',
    '[]',
    '"sluice.hello"',
    '{"format":"log","log":{"message":"sluice.hello"}}',
    encodeRefusal('x'),
  ];
  for (const line of lines) {
    t.equal(parseAgentHello(line), undefined, line);
    t.equal(parseReceiverHello(line), undefined, line);
  }
  t.end();
});

void test('a hello that cannot be understood is a violation that names the member', (t) => {
  const wrong = [
    [undefined, ''],
    [{ ...agent, version: 0 }, 'version'],
    [{ ...agent, name: 'x'.repeat(256) }, 'name'],
    [{ ...agent, boot: 'a b' }, 'boot'],
    [{ ...agent, boot: 7 }, 'boot'],
    [receiver, 'role'],
  ] as const;
  for (const [hello, member] of wrong) {
    t.throws(() => parseAgentHello(lineOf(hello)), { code: 'protocol_violation', message: `"${member}"` });
  }
  t.throws(() => parseReceiverHello(lineOf(agent)), { code: 'protocol_violation', message: '"role"' });
  t.throws(() => parseReceiverHello(lineOf({ ...receiver, max_frame_bytes: 65_535 })), { message: '"max_frame_bytes"' });
  t.end();
});

void test('a receiver that answers with a version that we do not know is refused', (t) => {
  t.throws(() => parseReceiverHello(lineOf({ ...receiver, version: 2 })), { message: '"version"' });
  t.end();
});

void test('a refusal tells its reason', (t) => {
  t.equal(parseRefusal(encodeRefusal('no\nsuch "thing"')), 'no\nsuch "thing"');
  for (const line of ['x', encodeHello(agent), '{"format":"sluice.error","sluice.error":{}}'])
    t.equal(parseRefusal(line), undefined);
  t.end();
});
