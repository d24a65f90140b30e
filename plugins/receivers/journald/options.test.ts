import { test } from 'tap';
import { options } from './options.ts';

function messagesOf(given: unknown): string[] {
  const { error } = options.safeParse(given);
  return (error?.issues ?? []).map(({ message }) => message);
}

void test('a time that is none, or has no zone, is answered with all that start_at can be', (t) => {
  const expected = 'must be end, boot, beginning or a time such as 2026-11-20T08:00:00Z';
  for (const start of ['yesterday', '2026-11-20', '2026-11-20T08:00:00', 0]) t.same(messagesOf({ start_at: start }), [expected]);
  for (const start of ['end', 'boot', 'beginning', '2026-11-20T08:00:00Z', '2026-11-20T08:00:00.5+01:00']) {
    t.same(messagesOf({ start_at: start }), []);
  }
  t.end();
});

void test('what journalctl cannot do is told before it is started', (t) => {
  const place = { directory: '/mnt/journal', namespace: 'web' };
  t.match(messagesOf({ driver: 'journalctl', ...place }), [/cannot read a namespace in a directory that is named: leave .* out/]);
  t.same(messagesOf({ driver: 'auto', ...place }), []);
  t.same(messagesOf({ driver: 'journalctl', namespace: 'web' }), []);
  t.same(messagesOf({ driver: 'journalctl', directory: '/mnt/journal' }), []);
  t.end();
});
