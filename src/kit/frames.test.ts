import fc from 'fast-check';
import { test } from 'tap';
import { ByteWriter } from './byte_writer.ts';
import { beginFrame, encodeMessage, endFrame, type Frame, FrameReader } from './frames.ts';
import { encodeHello, parseAgentHello, parseReceiverHello } from './hello.ts';

function frameOf(id: number, payload: string): Buffer {
  const writer = new ByteWriter(1);
  const start = beginFrame(writer, { type: 'batch', id, count: 1 });
  const bytes = Buffer.from(payload);
  bytes.copy(writer.reserve(bytes.length), writer.length);
  writer.length += bytes.length;
  endFrame(writer, start);
  return Buffer.from(writer.written());
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

void test('a hello is told from any other line', (t) => {
  const hello = encodeHello({ version: 1, role: 'agent', name: 'h' });
  t.match(parseAgentHello(hello), { name: 'h' });
  t.equal(parseReceiverHello(hello), undefined);
  for (const line of ['', '{}', 'x', '{"format":"sluice.hello","sluice.hello":{}}', '{"format":"log","log":{"version":1}}']) {
    t.equal(parseAgentHello(line), undefined);
  }
  t.end();
});
