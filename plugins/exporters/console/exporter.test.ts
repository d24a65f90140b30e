import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { test } from 'tap';
import { Resource } from '../../../src/core/resource.ts';
import { makeBatch } from '../../../test/helpers/batches.ts';
import { FakeExporterContext } from '../../../test/helpers/contexts.ts';
import { makeLineBatch } from '../../../test/helpers/line_batch.ts';
import { VirtualClock } from '../../../test/helpers/virtual_clock.ts';
import { ConsoleExporter } from './exporter.ts';
import definition from './index.ts';

/** A stream that takes one write and then nothing more until `release` is called. */
class SlowStream extends Writable {
  text = '';
  #release: (error?: Error) => void = () => {};

  release(error?: Error): void {
    this.#release(error);
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error) => void): void {
    this.text += chunk.toString();
    this.#release = callback;
  }
}

function setUp() {
  const clock = new VirtualClock();
  const context = new FakeExporterContext({ id: 'console', clock });
  const stream = new SlowStream({ autoDestroy: false, emitClose: false });
  return { clock, context, stream, exporter: new ConsoleExporter(stream, context) };
}

void test('records are printed as cfjs1 lines', async (t) => {
  const { clock, context, stream, exporter } = setUp();
  await exporter.start();
  const facts = { format: 'app', epoch: 'e1', resource: new Resource({ host: 'web-1' }) };
  context.spool.push(makeBatch([{ body: 'hello', sequence: 3 }], facts));
  await clock.settle();
  t.same(JSON.parse(stream.text), {
    format: 'app',
    app: { id: 'e1-3', timestamp: '1970-01-01T00:00:00.000000Z', host: 'web-1', message: 'hello' },
  });
  t.ok(stream.text.endsWith('\n'));
  stream.release();
  await exporter.stop(1000);
  t.ok(context.spool.isEmpty);
});

void test('a slow stream is waited for, and nothing is acked before it has taken the lines', async (t) => {
  const { clock, context, stream, exporter } = setUp();
  await exporter.start();
  for (const line of ['{"one":1}', '{"two":2}', '{"three":3}']) {
    context.spool.push(makeLineBatch([line]));
    await clock.settle();
  }
  t.equal(stream.text, '{"one":1}\n');
  t.same(context.spool.cursors[0]?.settled, []);
  stream.release();
  await clock.settle();
  t.equal(stream.text, '{"one":1}\n{"two":2}\n{"three":3}\n');
  t.same(context.spool.cursors[0]?.settled, [0]);
  stream.release();
  await exporter.stop(1000);
  t.same(context.spool.cursors[0]?.settled, [0, 1, 2]);
});

void test('a reader that went away makes the exporter not ready and does not end the process', async (t) => {
  const { clock, context, stream, exporter } = setUp();
  await exporter.start();
  context.spool.push(makeLineBatch(['{}']));
  await clock.settle();
  stream.release(new Error('write EPIPE'));
  await clock.settle();
  t.same(exporter.readiness(), { ready: false, reason: 'write EPIPE' });
  t.equal(context.spool.isEmpty, false);
  const stopped = exporter.stop(clock.monotonicMs() + 100);
  await clock.run(100);
  await stopped;
});

void test('the definition prints to the stream that its option names', async (t) => {
  t.equal(definition.options.parse({}).stream, 'stdout');
  t.throws(() => definition.options.parse({ stream: 'both' }));
  const script = `
    import definition from ${JSON.stringify(new URL('index.ts', import.meta.url).href)};
    import { FakeExporterContext } from ${JSON.stringify(new URL('../../../test/helpers/contexts.ts', import.meta.url).href)};
    import { makeLineBatch } from ${JSON.stringify(new URL('../../../test/helpers/line_batch.ts', import.meta.url).href)};
    const context = new FakeExporterContext();
    const exporter = definition.create({ stream: process.argv[1] }, context);
    await exporter.start();
    context.spool.push(makeLineBatch(['{"to":"' + process.argv[1] + '"}']));
    await exporter.stop(10_000);`;
  for (const stream of ['stdout', 'stderr'] as const) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, stream], { stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (printed.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (printed.stderr += chunk.toString()));
    await once(child, 'close');
    t.same(printed, { stdout: '', stderr: '', [stream]: `{"to":"${stream}"}\n` });
  }
});
