import fc from 'fast-check';
import { test } from 'tap';
import { type PlainRecord, readBatch } from '../../test/helpers/batches.ts';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { silentMetrics } from '../core/metrics.ts';
import { LineBatcher, type LineOptions, MAX_CHUNK_BYTES } from './lines.ts';
import { LineSplitter } from './line_splitter.ts';

interface Input {
  readonly records: PlainRecord[];
  readonly counts: Record<string, number>;
  readonly clock: VirtualClock;
  readonly batcher: LineBatcher;
  readonly splitter: LineSplitter;
  push(text: string | Buffer): void;
}

function open(options: Partial<LineOptions> = {}): Input {
  const clock = new VirtualClock();
  const records: PlainRecord[] = [];
  const counts: Record<string, number> = {};
  const batcher = new LineBatcher({
    receiver: 'pipe',
    logFormat: 'log',
    format: 'auto',
    service: 'fallback',
    jsonKeys: { service: 'service', severity: 'level', time: 'ts' },
    maxLineBytes: 64,
    batchAgeMs: 20,
    clock,
    metrics: {
      ...silentMetrics,
      counter: (name) => ({ add: (amount = 1) => void (counts[name] = (counts[name] ?? 0) + amount) }),
    },
    emit(batch) {
      records.push(...readBatch(batch));
      batch.settle({ kind: 'delivered' });
    },
    ...options,
  });
  const splitter = new LineSplitter(batcher, 1000);
  return { records, counts, clock, batcher, splitter, push: (text) => splitter.push(Buffer.from(text)) };
}

const bodies = (input: Input): string[] => input.records.map((record) => record.body);

void test('lines become records, wherever the chunks are cut', (t) => {
  const input = open();
  for (const chunk of ['on', 'e\ntwo\nth', 'ree', '\n\r\n\nfour\r\n']) input.push(chunk);
  input.batcher.flush();
  t.same(bodies(input), ['one', 'two', 'three', 'four']);
  t.same(new Set(input.records.map(({ service }) => service)), new Set(['fallback']));
  t.end();
});

void test('a batch waits no longer than its age for company', (t) => {
  const input = open();
  input.push('one\n');
  input.clock.advance(19);
  t.same(bodies(input), []);
  input.clock.advance(1);
  t.same(bodies(input), ['one']);
  t.end();
});

void test('a JSON line tells its service, severity and time, and keeps its bytes', (t) => {
  const input = open({ maxLineBytes: 256 });
  const line = '{"ts":"2026-11-20T07:00:00.5Z", "level":"WARN","service":"n\\u0067inx","x":{"service":"no"}}';
  input.push(`${line}  \r\n{"a":1}\n`);
  input.batcher.flush();
  t.match(input.records, [
    { kind: 'json', body: line, service: 'nginx', severity: 13, time: 1_795_158_000_500_000 },
    { kind: 'json', body: '{"a":1}', service: 'fallback', severity: 0 },
  ]);
  t.end();
});

void test('a line that is not JSON in a JSON stream ships as text and is counted', (t) => {
  const input = open({ format: 'json' });
  input.push('{"a":1}\n{"a":}\nplain\n[1]\n{"a":1} {}\n');
  input.batcher.flush();
  t.same(
    input.records.map(({ kind }) => kind),
    ['json', 'text', 'text', 'text', 'text'],
  );
  t.equal(input.counts['sluice_receiver_malformed_records_total'], 4);
  t.end();
});

void test('bytes that are not UTF-8 ship as binary and are counted; their neighbours are untouched', (t) => {
  const input = open();
  input.push(Buffer.concat([Buffer.from('{"a":"ä"}\n'), Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from('ö\n')]));
  input.batcher.flush();
  t.match(input.records, [
    { kind: 'json', body: '{"a":"ä"}' },
    { kind: 'binary', body: 'fffe' },
    { kind: 'text', body: 'ö' },
  ]);
  t.equal(input.counts['sluice_receiver_binary_records_total'], 1);
  t.end();
});

void test('a line that is too long is cut and marked, in one chunk or many, and the next line is intact', (t) => {
  const long = 'x'.repeat(200);
  for (const size of [1, 7, 63, 64, 65, 1000]) {
    const input = open();
    const text = `before\n${long}\nafter\n`;
    for (let at = 0; at < text.length; at += size) input.push(text.slice(at, at + size));
    input.batcher.flush();
    t.same(bodies(input), ['before', 'x'.repeat(64), 'after'], `chunks of ${size}`);
    t.same(
      input.records.map(({ truncated }) => truncated),
      [false, true, false],
    );
    t.equal(input.counts['sluice_receiver_truncated_records_total'], 1);
  }
  t.end();
});

void test('a cut never goes through a character', (t) => {
  for (const size of [7, 1000]) {
    const input = open();
    const bytes = Buffer.from(`${'x'.repeat(63)}€€\n`);
    for (let at = 0; at < bytes.length; at += size) input.push(bytes.subarray(at, at + size));
    input.batcher.flush();
    t.same(input.records.map(({ body, kind }) => [body, kind]), [['x'.repeat(63), 'text']]); // prettier-ignore
  }
  t.end();
});

void test('a JSON line that is too long ships as cut text', (t) => {
  const input = open({ format: 'json' });
  input.push(`{"a":"${'x'.repeat(100)}"}\n{"b":1}\n`);
  input.batcher.flush();
  t.match(input.records, [
    { kind: 'text', truncated: true },
    { kind: 'json', body: '{"b":1}' },
  ]);
  t.end();
});

void test('a writer that stops in mid-line has its partial line shipped after the time-out, marked', (t) => {
  const input = open();
  input.push('whole\nhal');
  input.clock.advance(900);
  input.push('f');
  input.clock.advance(900);
  t.same(bodies(input), ['whole']);
  input.clock.advance(200);
  t.match(input.records[1], { body: 'half', partial: true });
  t.equal(input.counts['sluice_receiver_partial_records_total'], 1);
  t.end();
});

void test('a partial line keeps all of its bytes', (t) => {
  const input = open();
  input.push(Buffer.from('caf\xe9', 'latin1'));
  input.clock.advance(1100);
  t.match(input.records, [{ kind: 'binary', body: '636166e9', partial: true }]);
  t.end();
});

void test('the last line of a stream that ends needs no newline', (t) => {
  const input = open({ format: 'json' });
  input.push('{"a":1}\n{"b":2}');
  input.splitter.end();
  input.batcher.flush();
  t.match(input.records, [
    { kind: 'json', body: '{"a":1}' },
    { kind: 'json', body: '{"b":2}', partial: false },
  ]);
  t.end();
});

void test('more lines than a batch or an arena holds go on in the next, in order', (t) => {
  const input = open();
  const lines = Array.from({ length: 30_000 }, (_, index) => `${index}${index % 3 === 0 ? 'x'.repeat(50) : ''}`);
  const bytes = Buffer.from(lines.join('\n') + '\n');
  for (let at = 0; at < bytes.length; at += MAX_CHUNK_BYTES - 1) input.push(bytes.subarray(at, at + MAX_CHUNK_BYTES - 1));
  input.batcher.flush();
  t.same(bodies(input), lines);
  t.end();
});

void test('a fragment behind as many lines as a batch holds goes on in the next batch', (t) => {
  for (const fragment of ['x'.repeat(100), 'unfinished']) {
    const batches: number[] = [];
    const input = open({
      emit(batch) {
        batches.push(batch.count);
        input.records.push(...readBatch(batch));
        batch.settle({ kind: 'delivered' });
      },
    });
    input.push(`${'a\n'.repeat(2048)}${fragment}`);
    input.splitter.cut();
    input.batcher.flush();
    t.same(batches, [2048, 1]);
    t.match(input.records.at(-1), { body: fragment.slice(0, 64), kind: 'text', service: 'fallback' });
  }
  t.end();
});

void test('a severity that is an object is none, also in a chunk of more names than the scanner keeps', (t) => {
  const input = open();
  const names = Array.from({ length: 1100 }, (_, index) => `{"service":"s${index}"}\n`).join('');
  input.push(`${names}{"level":{"toString":0}}\n{"level":"\\u0077arn"}\n{"level":40}\n`);
  input.batcher.flush();
  t.same(
    input.records.slice(-3).map(({ severity }) => severity),
    [0, 13, 13],
  );
  t.end();
});

void test('any lines cut into any chunks come out as they went in', (t) => {
  const line = fc.string({ unit: fc.constantFrom('a', '{', '}', '"', ':', '1', ' ', 'é', '€'), maxLength: 20 });
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (lines, sizes) => {
      const input = open();
      const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''));
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        input.push(bytes.subarray(at, at + size));
        at += size;
      }
      input.batcher.flush();
      const expected = lines.filter((each) => each !== '');
      return JSON.stringify(bodies(input).map((body) => body.trim())) === JSON.stringify(expected.map((each) => each.trim()));
    }),
  );
  t.end();
});
