import fc from 'fast-check';
import { test } from 'tap';
import { makeBatch, readBatch, type RecordSpec } from '../../../test/helpers/batches.ts';
import { Batch, createColumns, Storage } from '../../core/batch.ts';
import { NameTable } from '../../core/names.ts';
import { Resource } from '../../core/resource.ts';
import { FrameDecoder } from './frame_decoder.ts';
import { FrameEncoder } from './frame_encoder.ts';
import { aligned, decodePrefix } from './layout.ts';

const MARK = 0xc0ffee01;
const encoder = new FrameEncoder();
const decoder = new FrameDecoder();

function encode(batch: Batch, position = 1): Buffer {
  const { pieces, bytes } = encoder.encode({ position, batch }, MARK);
  const frame = Buffer.concat(pieces);
  if (frame.length !== bytes) throw new Error(`${frame.length} bytes, not ${bytes} as told`);
  return frame;
}

/** Through a buffer of the decoder's own, as a reader does. */
function decode(frame: Buffer): Batch | undefined {
  const prefix = decodePrefix(frame, 0, MARK);
  if (prefix === undefined) return undefined;
  const buffer = decoder.take(frame.length);
  frame.copy(buffer);
  return decoder.decode(prefix, buffer);
}

const text = fc.string({ unit: 'binary', maxLength: 40 });
const record: fc.Arbitrary<RecordSpec> = fc.record({
  body: fc.oneof(text, fc.uint8Array({ maxLength: 40 })),
  kind: fc.constantFrom('text', 'json', 'binary', 'cfjs1'),
  service: fc.constantFrom('', 'nginx', 'postgres', 'a b', 'ü'),
  severity: fc.nat(24),
  time: fc.maxSafeInteger(),
  sequence: fc.nat(),
  fields: text,
  flags: fc.nat(3),
});

void test('a batch comes back as it was', async (t) => {
  const facts = fc.record(
    {
      receiver: text,
      format: text,
      epoch: text,
      destination: text,
      onlyFor: text,
      isKept: fc.boolean(),
      resource: fc.dictionary(fc.constantFrom('host', 'dc', 'role', 'x.y'), text).map((attributes) => new Resource(attributes)),
    },
    { requiredKeys: ['receiver', 'format'] },
  );
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), facts, fc.maxSafeNat(), (records, given, position) => {
      const batch = makeBatch(records, given);
      const frame = encode(batch, position);
      const back = decode(frame);
      t.same(back === undefined ? undefined : plain(back), plain(batch));
      if (decodePrefix(frame, 0, MARK)?.position !== position) t.fail(`position ${position}`);
      back?.release();
    }),
    { numRuns: 200 },
  );
});

function plain(batch: Batch) {
  const { receiver, format, epoch, destination, onlyFor, isKept, resource, count } = batch;
  return {
    receiver,
    format,
    epoch,
    destination,
    onlyFor,
    isKept,
    attributes: Object.entries(resource.attributes),
    count,
    records: readBatch(batch),
  };
}

void test('the bytes of the arena are written from where they are', async (t) => {
  const batch = makeBatch(['hello', 'world']);
  const { pieces } = encoder.encode({ position: 1, batch }, MARK);
  t.ok(pieces.some((piece) => piece.buffer === batch.arena.buffer && piece.length === 10));
});

void test('of an arena that is mostly unused, only what is used is written', async (t) => {
  const whole = makeBatch(
    Array.from({ length: 100 }, (_, at) => ({ body: `record ${at} ${'x'.repeat(1000)}`, fields: '"a":1' })),
  );
  for (let kept = 0; kept < 5; kept++) whole.move(kept * 20, kept);
  whole.truncate(5);
  const frame = encode(whole);
  t.ok(frame.length < 6000, `${frame.length} bytes`);
  const back = decode(frame);
  t.same(back === undefined ? undefined : readBatch(back), readBatch(whole));
});

void test('of an arena that several batches share, each writes its own part', async (t) => {
  const arena = Buffer.from('aaaabbbbccccdddd');
  const columns = createColumns(4);
  for (let at = 0; at < 4; at++) {
    columns.bodyStart[at] = at * 4;
    columns.bodyEnd[at] = at * 4 + 4;
  }
  const services = new NameTable();
  const second = new Batch(
    new Storage(arena, columns),
    2,
    { receiver: 'r', format: 'f', services },
    {
      ...columns,
      bodyStart: columns.bodyStart.subarray(2),
      bodyEnd: columns.bodyEnd.subarray(2),
    },
  );
  const back = decode(encode(second));
  t.same(back === undefined ? undefined : readBatch(back).map(({ body }) => body), ['cccc', 'dddd']);
  t.equal(back?.arena.length, 8);
});

void test('services are numbered anew, each name once, and names of bytes that are not UTF-8 too', async (t) => {
  const services = new NameTable();
  for (let at = 0; at < 300; at++) services.intern(`other-${at}`);
  const broken = [0xff, 0xfe].map((byte) => services.internBytes(Uint8Array.of(byte), 0, 1));
  t.not(broken[0], broken[1]);
  const batch = makeBatch(['a', 'b', { body: 'c', service: 'last' }, 'd'], { services });
  batch.columns.service.set(broken);
  const back = decode(encode(batch));
  t.same(back === undefined ? undefined : readBatch(back).map(({ service }) => service), ['\uFFFD', '\uFFFD', 'last', '']);
  t.equal(back?.services.size, 3, 'none, and two names');
});

function through(service: string, host: string): Batch | undefined {
  return decode(encode(makeBatch([{ body: 'x', service }], { receiver: 'pipe', resource: new Resource({ host, dc: 'eu' }) })));
}

void test('batches of one receiver share names and resource, as encoders expect, while these stay the same', async (t) => {
  const [first, second, otherHost, otherService] = [through('a', 'h'), through('a', 'h'), through('a', 'i'), through('b', 'i')];
  t.equal(second?.services, first?.services);
  t.equal(second?.resource, first?.resource);
  t.equal(otherHost?.services, first?.services);
  t.equal(otherHost?.resource.attributes['host'], 'i');
  t.equal(otherService?.services, first?.services, 'a table grows, and serves frames that number their services otherwise');
  t.equal(otherService?.services.name(otherService.columns.service[0] ?? -1), 'b');
  t.equal(otherService?.resource, otherHost?.resource);
});

void test('a bit that flips anywhere but in the padding is noticed', async (t) => {
  const batch = makeBatch([{ body: 'hello', service: 'a' }, 'world!'], { receiver: 'pipe/a', epoch: 'e' });
  const frame = encode(batch);
  const prefix = decodePrefix(frame, 0, MARK);
  const { headerBytes, payloadBytes } = prefix ?? { headerBytes: 0, payloadBytes: 0 };
  t.ok(headerBytes > 0 && payloadBytes > 0);
  const isPadding = (at: number): boolean =>
    (at >= 40 + headerBytes && at < 40 + aligned(headerBytes)) || at >= 40 + aligned(headerBytes) + payloadBytes;
  const unnoticed = [];
  for (let at = 0; at < frame.length; at++) {
    if (isPadding(at)) continue;
    const damaged = Buffer.from(frame);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
    if (decode(damaged) !== undefined) unnoticed.push(at);
  }
  t.same(unnoticed, []);
});

void test('the buffer of a batch is used again once it is released', async (t) => {
  const frame = encode(makeBatch(['x'.repeat(100_000)]));
  const first = decode(frame);
  const { buffer } = first?.arena ?? {};
  first?.release();
  t.equal(decode(frame)?.arena.buffer, buffer);
  t.not(decode(frame)?.arena.buffer, buffer, 'not while it is in use');
});
