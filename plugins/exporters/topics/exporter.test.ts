import * as fsPromises from 'node:fs/promises';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import type { Batch, BatchFacts } from '../../../src/core/batch.ts';
import { Resource } from '../../../src/core/resource.ts';
import { makeBatch } from '../../../test/helpers/batches.ts';
import { FakeExporterContext } from '../../../test/helpers/contexts.ts';
import { makeLineBatch } from '../../../test/helpers/line_batch.ts';
import { VirtualClock } from '../../../test/helpers/virtual_clock.ts';
import { waitFor } from '../../../test/helpers/wait_for.ts';
import { TopicsExporter } from './exporter.ts';
import definition, { type TopicsOptions } from './index.ts';
import type { FileSystem } from './topic_file.ts';

const line = (text: string) => JSON.stringify({ format: 'app', app: { message: text } });

/** Batches of one line each, of the given formats. */
const batchesOf = (...formats: readonly string[]) =>
  formats.map((format) => makeLineBatch([`{"format":"${format}"}`], { format }));

function setUp(t: Test, options: Partial<TopicsOptions> = {}, fs: FileSystem = fsPromises) {
  const directory = options.directory ?? join(t.testdir(), 'topics');
  const clock = new VirtualClock();
  const context = new FakeExporterContext({ id: 'topics', clock });
  const exporter = new TopicsExporter({ ...definition.options.parse({ directory }), ...options }, context, fs);
  t.teardown(() => exporter.stop(0));
  return {
    context,
    clock,
    exporter,
    push: (...batches: readonly Batch[]) => batches.map((batch) => context.spool.push(batch)),
    drained: () => waitFor(() => context.spool.isEmpty, { what: 'every batch to be settled' }),
    read: (topic: string) => readFile(join(directory, `${topic}.ndjson`), 'utf8'),
    topics: async () => (await readdir(directory)).map((name) => name.replace('.ndjson', '')).sort(),
  };
}

void test('lines are stored byte for byte as they came, in the file of their format', async (t) => {
  const { exporter, push, drained, read } = setUp(t);
  await exporter.start();
  const odd = '{ "format":"app" , "app":{"message":"\\u00e9é"}}';
  push(makeLineBatch([line('one'), odd]), makeLineBatch(['{"format":"web","web":{}}'], { format: 'web' }));
  push(makeLineBatch([line('two')]));
  await drained();
  t.equal(await read('app'), `${line('one')}\n${odd}\n${line('two')}\n`);
  t.equal(await read('web'), '{"format":"web","web":{}}\n');
});

void test('records that were meant for another destination go to its dead-letter topic', async (t) => {
  const { exporter, push, drained, read, topics } = setUp(t);
  await exporter.start();
  const marked = '{"format":"app","app":{},"destination":"log-a"}';
  push(makeLineBatch([marked], { destination: 'log-a' }), makeLineBatch([line('own')]));
  await drained();
  t.same(await topics(), ['app', 'dead-letter.log-a.app']);
  t.equal(await read('dead-letter.log-a.app'), `${marked}\n`);
});

void test('a record of an agent of its own is stored as a cfjs1 line', async (t) => {
  const { exporter, push, drained, read } = setUp(t);
  await exporter.start();
  const facts: Partial<BatchFacts> = { format: 'app', epoch: 'e1', resource: new Resource({ host: 'web-1' }) };
  push(
    makeBatch([{ body: 'a "quoted" text', service: 'nginx', sequence: 7, time: 1_000_001 }], facts),
    makeBatch([{ body: 'and one more', sequence: 8 }], facts),
  );
  await drained();
  const [first = '', second] = (await read('app')).split('\n');
  t.match(second, 'and one more');
  t.same(JSON.parse(first), {
    format: 'app',
    app: {
      id: 'e1-7',
      timestamp: '1970-01-01T00:00:01.000001Z',
      host: 'web-1',
      service: 'nginx',
      message: 'a "quoted" text',
    },
  });
});

void test('a name that cannot be a topic is refused for good, and the records around it are stored', async (t) => {
  const { context, exporter, push, drained, topics } = setUp(t);
  await exporter.start();
  push(makeLineBatch([line('one')]), makeLineBatch(['{}', '{}'], { format: '../evil' }), makeLineBatch([line('two')]));
  await drained();
  t.same(context.spool.cursors[0]?.refusals, [
    { position: 1, records: [0, 1], reason: 'refused', detail: 'topic_name_invalid', attempts: 1 },
  ]);
  t.same(await topics(), ['app']);
});

void test('beyond max_topics records of new topics go to the topic overflow, over a restart too', async (t) => {
  const directory = join(t.testdir(), 'topics');
  const first = setUp(t, { directory, max_topics: 2 });
  await first.exporter.start();
  first.push(...batchesOf('a', 'b', 'c', 'a', 'd'));
  await first.drained();
  t.same(await first.topics(), ['a', 'b', 'overflow']);
  t.equal(await first.read('overflow'), '{"format":"c"}\n{"format":"d"}\n');
  t.equal(first.context.metrics.value('sluice_topics_written_records_total', { topic: 'overflow' }), 2);
  t.match(first.context.log.lines, [{ level: 'warn', fields: { topic: 'c' } }]);
  t.equal(first.context.log.lines.length, 1, 'said once, not for every record');
  await first.exporter.stop(1000);

  const second = setUp(t, { directory, max_topics: 2 });
  await second.exporter.start();
  second.push(...batchesOf('e', 'b'));
  await second.drained();
  t.same(await second.topics(), ['a', 'b', 'overflow']);
});

void test('a disk that fails makes the store not ready; the records stay and are written once it works again', async (t) => {
  for (const code of ['ENOSPC', 'EIO', 'EROFS']) {
    let isBroken = false;
    const fs: FileSystem = {
      ...fsPromises,
      async open(path, flags, mode) {
        const handle = await fsPromises.open(path, flags, mode);
        const writev = handle.writev.bind(handle);
        handle.writev = async (buffers, position) => {
          if (!isBroken) return writev(buffers, position);
          await handle.appendFile('{"half a li');
          throw Object.assign(new Error(`${code}: write`), { code });
        };
        return handle;
      },
    };
    const { context, clock, exporter, push, drained, read } = setUp(t, {}, fs);
    await exporter.start();
    push(makeLineBatch([line('one')]));
    await drained();
    isBroken = true;
    push(makeLineBatch([line('two'), line('three')]));
    await waitFor(() => !exporter.readiness().ready, { what: `the store to notice ${code}` });
    t.match(exporter.readiness().reason, code);
    t.equal(await read('app'), `${line('one')}\n`, 'no half line stays');
    t.equal(context.spool.isEmpty, false);
    isBroken = false;
    await clock.run(10_000);
    await drained();
    t.equal(await read('app'), [line('one'), line('two'), line('three'), ''].join('\n'));
    t.same(exporter.readiness(), { ready: true, reason: '' });
    t.equal(context.metrics.value('sluice_topics_write_errors_total'), 1);
    t.equal(context.metrics.value('sluice_topics_written_records_total', { topic: 'app' }), 3);
    await exporter.stop(clock.monotonicMs() + 1000);
  }
});

void test('nothing is acked before the disk has it', async (t) => {
  const sync = Promise.withResolvers<void>();
  let isWaiting = false;
  const fs: FileSystem = {
    ...fsPromises,
    async open(path, flags, mode) {
      const handle = await fsPromises.open(path, flags, mode);
      handle.datasync = () => {
        isWaiting = true;
        return sync.promise;
      };
      return handle;
    },
  };
  const { context, exporter, push, drained } = setUp(t, {}, fs);
  await exporter.start();
  push(makeLineBatch([line('one')]));
  await waitFor(() => isWaiting, { what: 'the sync to be under way' });
  t.equal(context.spool.isEmpty, false);
  sync.resolve();
  await drained();
});

void test('what was written is counted by topic, for a bounded number of topics', async (t) => {
  const { context, exporter, push, drained } = setUp(t);
  await exporter.start();
  for (let index = 0; index < 150; index++) push(makeLineBatch([line('x')], { format: `topic-${index}` }));
  await drained();
  const { metrics } = context;
  t.equal(metrics.sum('sluice_topics_written_records_total'), 150);
  t.equal(metrics.value('sluice_topics_written_records_total', { topic: 'topic-0' }), 1);
  t.equal(metrics.value('sluice_topics_written_records_total', { topic: 'topic-149' }), undefined);
  t.equal(metrics.value('sluice_topics_written_records_total', { topic: '_other' }), 51);
  t.equal(metrics.value('sluice_topics_written_bytes_total'), 150 * Buffer.byteLength(`${line('x')}\n`));
});

void test('stop writes what waits and closes every file', async (t) => {
  const { context, clock, exporter, push, read } = setUp(t, { max_open_files: 1 });
  await exporter.start();
  push(makeLineBatch([line('one')]), makeLineBatch([line('two')]), makeLineBatch(['{}'], { format: 'web' }));
  await exporter.stop(clock.monotonicMs() + 1000);
  t.equal(context.spool.isEmpty, true);
  t.equal(await read('app'), `${line('one')}\n${line('two')}\n`);
  t.equal(context.metrics.value('sluice_topics_open_files'), 0);
  t.equal(clock.pendingTimers, 0);
});

void test('a torn line is counted and logged with its path', async (t) => {
  const { context, exporter, drained, push, read } = setUp(t);
  const directory = t.testdir({ topics: { 'app.ndjson': `${line('one')}\n{"form` } });
  await exporter.start();
  t.equal(context.metrics.value('sluice_topics_torn_lines_total'), 1);
  t.match(context.log.lines, [{ level: 'warn', fields: { path: join(directory, 'topics', 'app.ndjson'), bytes: 6 } }]);
  push(makeLineBatch([line('two')]));
  await drained();
  t.equal(await read('app'), `${line('one')}\n${line('two')}\n`);
});
