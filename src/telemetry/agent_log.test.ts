import { spawnSync } from 'node:child_process';
import { test } from 'tap';
import { SluiceError } from '../core/errors.ts';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { createLog, type LogLevel } from './agent_log.ts';

/** A log whose lines are kept, parsed. */
function recordedLog(level: LogLevel = 'info') {
  const clock = new VirtualClock(Date.UTC(2026, 10, 20, 7, 0, 0, 123) * 1000);
  const texts: string[] = [];
  const log = createLog({ level, clock, destination: { write: (text: string) => void texts.push(text) } });
  return { clock, log, texts, lines: () => texts.map((text): unknown => JSON.parse(text)) };
}

void test('a line is one JSON object with level, time, component, fields and message', async (t) => {
  const { log, texts } = recordedLog();
  log.child('pipe/nginx').warn('the writer went away', { path: '/run/a.pipe' });
  t.same(texts, [
    '{"level":"warn","time":"2026-11-20T07:00:00.123Z","component":"pipe/nginx","path":"/run/a.pipe","message":"the writer went away"}\n',
  ]);
});

void test('lines below the level are left out', async (t) => {
  const { log, lines } = recordedLog('warn');
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  t.match(lines(), [{ message: 'c' }, { message: 'd' }]);
  t.equal(lines().length, 2);
});

void test('an error among the fields is written as its message and what to do', async (t) => {
  const { log, lines } = recordedLog();
  log.error('cannot go on', { error: new SluiceError('path_missing', 'there is no /run/a', { hint: 'create it' }) });
  t.match(lines(), [{ error: 'there is no /run/a: create it' }]);
});

void test('a warning that repeats passes ten times a minute, and the next one says how many were left out', async (t) => {
  const { clock, log, lines } = recordedLog();
  for (let n = 0; n < 500; n++) log.warn('the disk is full', { n });
  t.equal(lines().length, 10);
  clock.advance(60_000);
  log.warn('the disk is full', { n: 500 });
  t.match(lines().at(-1), { n: 500, suppressed: 490 });
  clock.advance(60_000);
  log.warn('the disk is full');
  t.notHas(lines().at(-1), { suppressed: 490 });
});

void test('other messages, and the same message of another component, are not held back', async (t) => {
  const { log, lines } = recordedLog();
  for (let n = 0; n < 50; n++) log.child('a').warn('slow');
  log.child('b').warn('slow');
  log.child('a').warn('fast');
  t.match(lines().slice(-2), [
    { component: 'b', message: 'slow' },
    { component: 'a', message: 'fast' },
  ]);
});

void test('debug lines are never held back, since whoever asks for them wants them all', async (t) => {
  const { log, lines } = recordedLog('debug');
  for (let n = 0; n < 50; n++) log.debug('tick');
  t.equal(lines().length, 50);
});

void test('without a destination lines go to stderr, and none is lost when the process exits or fails right after', async (t) => {
  const module = new URL('agent_log.ts', import.meta.url).href;
  for (const end of ['process.exit(3)', "throw new Error('boom')"]) {
    const script = `
      const { createLog } = await import(${JSON.stringify(module)});
      const log = createLog({ level: 'info' });
      for (let n = 0; n < 100; n++) log.info('line ' + n);
      ${end};`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    t.equal(stdout, '');
    t.equal(stderr.split('\n').filter((line) => line.startsWith('{"level":"info"')).length, 100, end);
  }
});
