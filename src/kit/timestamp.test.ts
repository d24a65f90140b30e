import fc from 'fast-check';
import { test } from 'tap';
import { TIMESTAMP_BYTES, TimestampReader, TimestampWriter } from './timestamp.ts';

const writer = new TimestampWriter();
const reader = new TimestampReader();

function written(micros: number): string {
  const target = Buffer.alloc(TIMESTAMP_BYTES);
  writer.write(new DataView(target.buffer, target.byteOffset, target.byteLength), 0, micros);
  return target.toString('latin1');
}

function read(json: string): number {
  const bytes = Buffer.from(json);
  return reader.readJson(bytes, 0, bytes.length);
}

void test('writes microseconds as RFC 3339 in UTC', (t) => {
  t.equal(written(1_795_158_000_123_456), '2026-11-20T07:00:00.123456Z');
  t.equal(written(0), '1970-01-01T00:00:00.000000Z');
  t.equal(written(-5), '1970-01-01T00:00:00.000000Z');
  t.equal(written(Number.NaN), '1970-01-01T00:00:00.000000Z');
  t.equal(written(1e300), '2255-06-05T23:47:34.740991Z');
  t.end();
});

void test('reads the timestamps that loggers write', (t) => {
  const micros = 1_795_158_000_123_456;
  t.equal(read('"2026-11-20T07:00:00.123456Z"'), micros);
  t.equal(read('"2026-11-20T07:00:00.123456789Z"'), micros);
  t.equal(read('"2026-11-20 08:00:00.123456+01:00"'), micros);
  t.equal(read('"2026-11-20T07:00:00.123Z"'), micros - 456);
  t.equal(read('"2026-11-20T07:00:00Z"'), micros - 123_456);
  t.equal(read('1795158000'), micros - 123_456);
  t.equal(read('1795158000.123456'), micros);
  t.equal(read('1795158000123'), micros - 456);
  t.equal(read('1795158000123456'), micros);
  t.equal(read('1795158000123456000'), micros);
  t.end();
});

void test('refuses what is not a time', (t) => {
  for (const json of [
    '""',
    '"yesterday"',
    '"2026-13-45T07:00:00Z"',
    '"2026-11-20"',
    '"2026-02-30T00:00:00Z"',
    '"2026-02-30T00:00:00+01:00"',
    '"2026-11-20T24:00:00Z"',
    'null',
    'true',
    '{}',
    '-1',
    '1e300',
    '"2026-11-20T07:00:00.12x4Z"',
  ]) {
    t.equal(read(json), -1, json);
  }
  t.end();
});

void test('reads back what it wrote', (t) => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 4e15 }), (micros) => read(`"${written(micros)}"`) === micros));
  t.end();
});
