import fc from 'fast-check';
import { test } from 'tap';
import { encodeBatchHead, encodeMessage, type Frame, FrameReader, MAX_REFUSED_RECORDS } from './frames.ts';

function frameOf(id: number, payload: string): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([encodeBatchHead({ type: 'batch', id, count: 1 }, bytes.length), bytes]);
}

const pushing = (bytes: Buffer) => () => [...new FrameReader(1000).push(bytes)];

void test('frames come out as they went in, wherever the stream is cut', (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 50 })), fc.integer({ min: 1, max: 40 }), (payloads, size) => {
      const stream = Buffer.concat(payloads.map((payload, id) => frameOf(id, payload)));
      const reader = new FrameReader(1000);
      const frames: Frame[] = [];
      for (let at = 0; at < stream.length; at += size) frames.push(...reader.push(stream.subarray(at, at + size)));
      const read = frames.map(({ header, payload }) => [header['id'], payload.toString()]);
      return JSON.stringify(read) === JSON.stringify(payloads.map((payload, id) => [id, payload]));
    }),
  );
  t.end();
});

void test('a message without a payload is a frame of its own', (t) => {
  const [frame] = new FrameReader(0).push(encodeMessage({ type: 'refused', id: 2 ** 40, records: [1, 300], reason: 'why' }));
  t.same(frame?.header, { type: 'refused', id: 2 ** 40, records: [1, 300], reason: 'why' });
  t.end();
});

void test('a refusal of as many records as one message may name can be read', (t) => {
  const records = Array.from({ length: MAX_REFUSED_RECORDS }, (_, index) => 2 ** 31 + index);
  const reason = 'x'.repeat(1000);
  const [frame] = new FrameReader(0).push(encodeMessage({ type: 'refused', id: 2 ** 53 - 1, records, reason }));
  t.same(frame?.header['records'], records);
  t.end();
});

void test('an id is the same number in whatever MessagePack format its peer writes it', (t) => {
  for (const encoded of [
    '07',
    'cc07',
    'cd0007',
    'ce00000007',
    'cf0000000000000007',
    'd30000000000000007',
    'cb401c000000000000',
  ]) {
    const header = Buffer.from(`82a474797065a361636ba26964${encoded}`, 'hex');
    const frame = Buffer.concat([Buffer.from([header.length, 0, 0, 0, 0, 0, 0, 0]), header]);
    t.same(
      [...new FrameReader(0).push(frame)].map((read) => read.header),
      [{ type: 'ack', id: 7 }],
      encoded,
    );
  }
  t.end();
});

void test('a reader tells how much memory a part of a frame takes', (t) => {
  const reader = new FrameReader(1000);
  const stream = Buffer.concat([frameOf(1, 'one'), frameOf(2, 'x'.repeat(500))]);
  t.equal([...reader.push(stream.subarray(0, stream.length - 1))].length, 1);
  t.ok(reader.heldBytes >= 500 && reader.heldBytes < 600);
  t.equal([...reader.push(stream.subarray(-1))].length, 1);
  t.equal(reader.heldBytes, 0);
  t.end();
});

void test('what cannot be a frame is refused before memory is taken for it', (t) => {
  t.throws(pushing(Buffer.from('GET / HTTP/1.1\r\n\r\n')), { code: 'protocol_violation', message: /header of \d+ bytes/ });
  t.throws(pushing(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0])), { code: 'protocol_violation', message: /header of 0 bytes/ });
  t.throws(pushing(Buffer.from([1, 0, 0, 0, 255, 255, 255, 255, 0x80])), {
    code: 'protocol_violation',
    message: /payload of 4294967295/,
  });
  t.throws(pushing(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0xc1])), {
    code: 'protocol_violation',
    message: /not MessagePack|not a map/,
  });
  t.throws(pushing(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0x07])), { code: 'protocol_violation', message: /not a map/ });
  t.end();
});

void test('random bytes never do more than be refused', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        for (const { payload } of new FrameReader(100).push(Buffer.from(bytes))) if (payload.length > 100) return false;
        return true;
      } catch (error) {
        return error instanceof Error && 'code' in error && error.code === 'protocol_violation';
      }
    }),
    { numRuns: 2000 },
  );
  t.end();
});
