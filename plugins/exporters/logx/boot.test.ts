import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { readBootId } from './boot.ts';
import type { FakeConnection } from './testdata/fake_receiver.ts';
import { LogxBench } from './testdata/logx_bench.ts';

const BOOT_ID = '4f1b2f3c-8f0e-4d29-9a53-5d1f0f2f9f11';

/** An agent whose first receiver takes no records, and what that was greeted with. */
async function greet(options: { readonly boot?: string }): Promise<{ bench: LogxBench; greetings: string[] }> {
  const greetings: string[] = [];
  const onHello = (connection: FakeConnection): void => {
    greetings.push(connection.greeting);
    connection.hello({ ready: false });
  };
  const bench = new LogxBench({ scripts: { 'log-a': { onHello } }, ...options });
  await bench.exporter.start();
  await bench.run(0);
  return { bench, greetings };
}

void test('the boot is what the kernel calls it, and not told where it is not known or could not be told', (t) => {
  const path = join(t.testdir({ empty: '', odd: 'two words\n', long: 'x'.repeat(65) }), 'boot_id');
  writeFileSync(path, `${BOOT_ID}\n`);
  t.equal(readBootId(path), BOOT_ID);
  for (const name of ['empty', 'odd', 'long', 'missing']) t.equal(readBootId(join(path, '..', name)), undefined, name);
  t.equal(readBootId(join(path, '..')), undefined, 'a directory');
  t.end();
});

void test('every hello says which boot the agent belongs to, that of a probe too', async (t) => {
  const { bench, greetings } = await greet({ boot: BOOT_ID });
  bench.push();
  await bench.until(() => bench.isDrained, 5000);
  await bench.run(10_000);
  t.ok(greetings.length > 3, 'a first connection, and probes after records went elsewhere');
  for (const greeting of greetings) t.match(greeting, `"name":"web-1","boot":"${BOOT_ID}"`);
  await bench.stop();
});

void test('an agent that does not know its boot says none', async (t) => {
  const { bench, greetings } = await greet({});
  t.match(greetings, [/^\{"format":"sluice\.hello","sluice\.hello":\{"version":1,"role":"agent","name":"web-1"\}\}\n$/]);
  await bench.stop();
});
