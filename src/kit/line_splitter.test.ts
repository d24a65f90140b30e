import { test } from 'tap';
import { type PlainRecord, readBatch } from '../../test/helpers/batches.ts';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { silentMetrics } from '../core/metrics.ts';
import { BufferBudget } from './buffer_budget.ts';
import { LineBatcher } from './lines.ts';
import { LineSplitter } from './line_splitter.ts';

const PARTIAL_TIMEOUT_MS = 1000;
/** Enough for a line that nothing comes of to be given up. */
const TOO_LONG_MS = PARTIAL_TIMEOUT_MS + 100;
const MAX_LINE_BYTES = 64;

class Scene {
  readonly clock = new VirtualClock();
  readonly records: PlainRecord[] = [];
  readonly #batcher: LineBatcher;
  readonly splitter: LineSplitter;

  constructor(budget?: BufferBudget) {
    this.#batcher = new LineBatcher({
      receiver: 'pipe',
      logFormat: 'log',
      format: 'auto',
      service: '',
      jsonKeys: { service: 'service', severity: 'level', time: 'ts' },
      maxLineBytes: MAX_LINE_BYTES,
      batchAgeMs: 1,
      clock: this.clock,
      metrics: silentMetrics,
      emit: (batch) => this.records.push(...readBatch(batch)),
    });
    this.splitter = new LineSplitter(this.#batcher, PARTIAL_TIMEOUT_MS, budget);
  }

  /** What has been emitted, with a `…` behind what is marked. */
  get lines(): string[] {
    this.#batcher.flush();
    return this.records.map(({ body, partial, truncated }) => `${body}${partial || truncated ? '…' : ''}`);
  }

  push(text: string): void {
    this.splitter.push(Buffer.from(text));
  }
}

void test('the line for which there is no memory left ships at once, marked, and no other', (t) => {
  const budget = new BufferBudget(100);
  const [first, second] = [new Scene(budget), new Scene(budget)];
  first.push('a'.repeat(60));
  second.push('b'.repeat(30));
  second.push('b'.repeat(20));
  t.same(second.lines, [`${'b'.repeat(50)}…`]);
  t.equal(budget.usedBytes, 60);
  second.push('rest\n');
  t.same(second.lines.slice(1), ['rest']);
  t.same(first.lines, []);
  first.push('a\n');
  t.same(first.lines, ['a'.repeat(61)]);
  first.push('c'.repeat(MAX_LINE_BYTES + 1));
  t.same(first.lines.slice(1), [`${'c'.repeat(MAX_LINE_BYTES)}…`]);
  second.push('next');
  t.not(budget.usedBytes, 0);
  second.clock.advance(TOO_LONG_MS);
  t.same(second.lines.slice(2), ['next…']);
  t.equal(budget.usedBytes, 0);
  t.end();
});

void test('each piece of a line gives the rest of it time anew', async (t) => {
  const scene = new Scene();
  for (const piece of ['one ', 'by ', 'one']) {
    scene.push(piece);
    scene.clock.advance(PARTIAL_TIMEOUT_MS - 1);
  }
  t.same(scene.lines, []);
  scene.clock.advance(TOO_LONG_MS - PARTIAL_TIMEOUT_MS + 1);
  t.same(scene.lines, ['one by one…']);
  t.equal(scene.clock.pendingTimers, 0);
});

void test('while a stream is not read its line has all the time there is, and its usual time after that', async (t) => {
  const scene = new Scene();
  scene.push('waits for');
  scene.splitter.pause();
  scene.clock.advance(60 * PARTIAL_TIMEOUT_MS);
  t.same(scene.lines, []);
  scene.splitter.resume();
  scene.clock.advance(PARTIAL_TIMEOUT_MS - 1);
  scene.push(' its rest\nand');
  t.same(scene.lines, ['waits for its rest']);
  scene.clock.advance(TOO_LONG_MS);
  t.same(scene.lines, ['waits for its rest', 'and…']);
});

void test('a stream that is paused and resumed with no line begun waits for nothing', async (t) => {
  const scene = new Scene();
  scene.push('whole\n');
  t.same(scene.lines, ['whole']);
  scene.splitter.pause();
  scene.splitter.resume();
  t.equal(scene.clock.pendingTimers, 0);
});

void test('a process that was held up reads what has come before it takes a line for given up', async (t) => {
  const scene = new Scene();
  scene.push('written before');
  scene.clock.advance(PARTIAL_TIMEOUT_MS); // at which a timer that comes late finds the time to be over
  t.same(scene.lines, []);
  scene.push(' and meanwhile\nand no rest');
  t.same(scene.lines, ['written before and meanwhile']);
  scene.clock.advance(TOO_LONG_MS);
  t.same(scene.lines, ['written before and meanwhile', 'and no rest…']);
});

void test('the rest of a line that is too long is skipped no longer than a line is waited for', async (t) => {
  const scene = new Scene();
  const long = 'x'.repeat(MAX_LINE_BYTES + 1);
  scene.push(long);
  scene.clock.advance(PARTIAL_TIMEOUT_MS - 1);
  scene.push('still the rest of it');
  scene.clock.advance(PARTIAL_TIMEOUT_MS - 1);
  scene.push('and its end\nthe next line\n');
  t.same(scene.lines, [`${long.slice(1)}…`, 'the next line']);

  scene.push(long);
  scene.clock.advance(TOO_LONG_MS);
  scene.push('of another writer\n');
  t.same(scene.lines.slice(2), [`${long.slice(1)}…`, 'of another writer']);
  t.equal(scene.clock.pendingTimers, 0);
});
