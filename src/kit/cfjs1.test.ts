import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { test } from 'tap';
import { type Batch, type BatchFacts, RecordFlag } from '../core/batch.ts';
import { Resource } from '../core/resource.ts';
import { makeBatch, type RecordSpec } from '../../test/helpers/batches.ts';
import { ByteWriter } from './byte_writer.ts';
import { Cfjs1Encoder } from './cfjs1_encoder.ts';
import { Cfjs1Lines } from './cfjs1_lines.ts';
import { MAX_BODY_DEPTH } from './line_scanner/line_scanner.ts';

const resource = new Resource({ host: 'h"1', datacenter: 'ams' });

function batchOf(records: readonly RecordSpec[], facts: Partial<BatchFacts> = {}): Batch {
  const timed = records.map((record) => ({ time: 1_795_158_000_123_456, ...record }));
  return makeBatch(timed, { format: 'log', resource, epoch: 'e1', ...facts });
}

const encoder = new Cfjs1Encoder();

function lines(batch: Batch, destination?: string): string[] {
  const writer = new ByteWriter(16);
  encoder.encode(batch, writer, destination);
  return writer.written().toString('utf8').split('\n').slice(0, -1);
}

void test('a record becomes one line with its id, time, resource, service, severity and message', (t) => {
  const [line] = lines(batchOf([{ body: Buffer.from('hi'), service: 'nginx', severity: 9, sequence: 7 }]));
  t.equal(
    line,
    '{"format":"log","log":{"id":"e1-7","timestamp":"2026-11-20T07:00:00.123456Z","host":"h\\"1","datacenter":"ams","service":"nginx","severity":"info","message":"hi"}}',
  );
  t.end();
});

void test('a JSON body travels byte for byte', (t) => {
  const body = '{ "a" : 1e3, "b":"\\u00e9" }';
  t.match(lines(batchOf([{ body: Buffer.from(body), kind: 'json' }]))[0], `,"body":${body}}}`);
  t.end();
});

void test('a body that is not UTF-8 travels as base64', (t) => {
  const bytes = Buffer.from([0xff, 0x00, 0x80]);
  const line = JSON.parse(lines(batchOf([{ body: bytes, kind: 'binary' }]))[0] ?? '');
  t.same(Buffer.from(line.log.message_base64, 'base64'), bytes);
  t.end();
});

void test('fields and flags stand before the body', (t) => {
  const rows = [{ body: Buffer.from('cut'), flags: RecordFlag.truncated | RecordFlag.partial, fields: '"pid":7' }];
  const line = JSON.parse(lines(batchOf(rows))[0] ?? '');
  t.match(line.log, { pid: 7, truncated: true, partial: true, message: 'cut' });
  t.end();
});

void test('a record on another route than its own bears its destination as a third member', (t) => {
  const [line] = lines(batchOf([{ body: Buffer.from('x') }]), 'log-a');
  t.equal(JSON.parse(line ?? '').destination, 'log-a');
  t.end();
});

void test('one record alone becomes the same line as in its batch', (t) => {
  const rows = [
    { body: Buffer.from('a'), service: 'x' },
    { body: Buffer.from('{}'), kind: 'json', sequence: 12345 },
    { body: Buffer.from('{"format":"x","x":{}}'), kind: 'cfjs1' },
  ] as const;
  for (const facts of [{}, { destination: 'log-b' }]) {
    const batch = batchOf(rows, facts);
    const alone = rows.map((_, index) => {
      const writer = new ByteWriter(16);
      encoder.encodeOne(batch, index, writer);
      return writer.written().toString('utf8', 0, writer.length - 1);
    });
    t.same(alone, lines(batch));
  }
  t.end();
});

void test('a complete line passes through unchanged, gets the mark where it has none, and keeps the one it has', (t) => {
  const body = Buffer.from('{"format":"x","x":{"id":"e-1"}}');
  t.same(lines(batchOf([{ body, kind: 'cfjs1' }])), [body.toString()]);
  t.same(lines(batchOf([{ body, kind: 'cfjs1' }]), 'log-a'), ['{"format":"x","x":{"id":"e-1"},"destination":"log-a"}']);
  const marked = Buffer.from('{"format":"x","x":{},"destination":"log-b"}');
  t.same(lines(batchOf([{ body: marked, kind: 'cfjs1' }], { destination: 'log-b' }), 'log-a'), [marked.toString()]);
  t.end();
});

void test('whatever the text, number, service and time, a JSON reader gets them back', (t) => {
  const row = fc.record({
    text: fc.string({ unit: 'binary', maxLength: 60 }),
    sequence: fc.maxSafeNat(),
    service: fc.string({ maxLength: 8 }),
    time: fc.integer({ min: 0, max: 4e15 }),
    severity: fc.constantFrom(0, 9, 17, 24),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
      const written = rows.map((each) => ({ ...each, text: each.text.toWellFormed() }));
      const batch = batchOf(written.map(({ text, ...rest }) => ({ ...rest, body: Buffer.from(text) })));
      lines(batch).forEach((line, index) => {
        const { log } = JSON.parse(line);
        const expected = written[index]!; // one line a record
        if (log.message !== expected.text) throw new Error(`message of ${line}`);
        if (log.id !== `e1-${expected.sequence}`) throw new Error(`id of ${line}`);
        if ((log.service ?? '') !== expected.service) throw new Error(`service of ${line}`);
        if (Math.floor(expected.time / 1000) !== Date.parse(log.timestamp)) throw new Error(`time of ${line}`);
      });
    }),
  );
  t.end();
});

const reader = new Cfjs1Lines();

interface Read {
  readonly line: string;
  readonly format: string;
  readonly destination: string | undefined;
}

function read(text: string | Buffer): (Read | string)[] {
  const bytes = Buffer.from(text);
  const seen: (Read | string)[] = [];
  reader.read(bytes, {
    line: (start, end, format, destination) => seen.push({ line: bytes.toString('utf8', start, end), format, destination }),
    refused: (problem) => seen.push(problem),
  });
  return seen;
}

function problemOf(line: string): Read | string | undefined {
  return read(`${line}\n`)[0];
}

void test('the envelope of a line tells format and destination, in whatever order its members stand', (t) => {
  const marked = '{"format":"a.b-c_1","a.b-c_1":{"x":[1]},"destination":"log-a"}';
  const plain = '{ "x" : {"y":1} , "format" : "x" }';
  t.same(read(`${marked} \r\n${plain}\n`), [
    { line: marked, format: 'a.b-c_1', destination: 'log-a' },
    { line: plain, format: 'x', destination: undefined },
  ]);
  t.end();
});

void test('many lines, long ones among them, and many formats come in order', (t) => {
  const lines = Array.from({ length: 5000 }, (_, index) => {
    const format = `f${index % 1500}`;
    return JSON.stringify({ format, [format]: { i: index, pad: index === 3000 ? 'x'.repeat(200_000) : '' } });
  });
  t.same(
    read(`${lines.join('\n')}\n`),
    lines.map((line, index) => ({ line, format: `f${index % 1500}`, destination: undefined })),
  );
  t.end();
});

void test('the deepest body that a line may be made of is taken', (t) => {
  const body = `{"a":${'['.repeat(MAX_BODY_DEPTH)}${']'.repeat(MAX_BODY_DEPTH)}}`;
  const [line] = lines(batchOf([{ body, kind: 'json' }]));
  t.match(read(`${line}\n`), [{ line, format: 'log' }]);
  t.end();
});

void test('a line that is not UTF-8 is refused, and its neighbours are not', (t) => {
  const good = '{"format":"a","a":{}}';
  const seen = read(
    Buffer.concat([Buffer.from(`${good}\n{"format":"a","a":{"b":"`), Buffer.from([0xff]), Buffer.from(`"}}\n${good}\n`)]),
  );
  t.match(seen, [{ line: good }, 'not UTF-8', { line: good }]);
  t.end();
});

void test('what is not cfjs1 is refused with its reason', (t) => {
  t.match(problemOf('hello'), 'not a JSON object');
  t.match(problemOf('{"format":"a","a":{}} {}'), 'not a JSON object');
  t.match(problemOf('{"a":{}}'), 'format');
  t.match(problemOf('{"format":1,"a":{}}'), 'format');
  t.match(problemOf('{"format":"../a","../a":{}}'), 'not a name');
  t.match(problemOf('{"format":"a","b":{}}'), 'wrapper');
  t.match(problemOf('{"format":"a","a":{},"b":1}'), 'other members');
  t.match(problemOf('{"format":"a","a":1}'), 'not an object');
  t.match(problemOf('{"format":"a","a":{},"destination":1}'), 'destination');
  t.match(problemOf('{"format":"a","a":{},"destination":"a/b"}'), 'destination');
  t.end();
});

void test('more services than templates are kept for are still told apart', (t) => {
  const services = Array.from({ length: 20_000 }, (_, index) => `s${index}`);
  const encoded = lines(batchOf(services.map((service) => ({ body: Buffer.from(service), service }))));
  t.equal(encoded.length, services.length);
  t.ok(encoded.every((line, index) => line.endsWith(`,"service":"s${index}","message":"s${index}"}}`)));
  t.end();
});

void test('what is kept for services has a bound, however many names are made up', (t) => {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  const memory = (): number => {
    if (typeof gc === 'function') gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const writer = new ByteWriter(1024 * 1024);
  const encodeFlood = (turn: number): void => {
    writer.length = 0;
    const services = Array.from({ length: 4096 }, (_, index) => ({ body: '', service: `made-up-${turn}-${index}` }));
    encoder.encode(batchOf(services), writer);
  };
  for (let turn = 0; turn < 4; turn++) encodeFlood(turn);
  const before = memory();
  for (let turn = 4; turn < 40; turn++) encodeFlood(turn);
  t.ok(memory() - before < 16 * 1024 * 1024);
  t.end();
});
