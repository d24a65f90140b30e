/** docs/CFJS1.md against the code: every example there is what the code writes, takes or refuses. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { RecordFlag } from '../../../src/core/batch.ts';
import { Resource } from '../../../src/core/resource.ts';
import { ByteWriter } from '../../../src/kit/byte_writer.ts';
import { Cfjs1Encoder } from '../../../src/kit/cfjs1_encoder.ts';
import { encodeBatchHead, encodeMessage, FrameReader, MAX_HEADER_BYTES, MAX_REFUSED_RECORDS } from '../../../src/kit/frames.ts';
import { MAX_COMPRESSION_RATIO } from '../../../src/kit/compression.ts';
import {
  encodeHello,
  encodeRefusal,
  MAX_HELLO_BYTES,
  MIN_MAX_FRAME_BYTES,
  parseAgentHello,
  parseReceiverHello,
} from '../../../src/kit/hello.ts';
import { makeBatch } from '../../../test/helpers/batches.ts';
import { parseLines } from './line_batches.ts';
import { MAX_EPOCH_BYTES } from './record_ids.ts';
import { Wire } from './testdata/wire.ts';

const page = readFileSync(new URL('../../../docs/CFJS1.md', import.meta.url), 'utf8');

/** The lines of the code block that is marked with this word. */
function block(word: string): string[] {
  const [, text] = new RegExp(`^\`\`\`${word}\n(.*?)^\`\`\``, 'ms').exec(page) ?? [];
  if (text === undefined) throw new Error(`the page has no block ${word}`);
  return text.trimEnd().split('\n');
}

function parse(lines: readonly string[]) {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  return parseLines(bytes, lines.length, { receiver: 'r', nowMicros: 0, maxLineBytes: Infinity, settled: () => {} });
}

void test('the examples of lines are cfjs1, and go to the topics that the page names', (t) => {
  const lines = block('cfjs1');
  const topics = lines.map((line) => {
    const [batch] = parse([line]).batches;
    return batch?.destination === undefined ? batch?.format : `dead-letter.${batch.destination}.${batch.format}`;
  });
  t.same(topics, ['journal', 'app', 'dead-letter.log-a.app', 'app']);
  t.end();
});

void test('the examples of what is not cfjs1 are refused', (t) => {
  const lines = block('not-cfjs1');
  t.not(lines.length, 0);
  for (const line of lines) t.equal(parse([line]).batches.length, 0, line);
  t.end();
});

void test('the members of a record are those of the table, in its order', (t) => {
  const resource = new Resource({ host: 'web-1', datacenter: 'ams', rack: '7' });
  const flags = RecordFlag.truncated | RecordFlag.partial;
  const batch = makeBatch([{ body: 'text', service: 'nginx', severity: 9, fields: '"pid":7', flags }], {
    epoch: 'e',
    format: 'app',
    resource,
  });
  const writer = new ByteWriter(64);
  new Cfjs1Encoder().encode(batch, writer);
  const { app } = JSON.parse(writer.written().toString('utf8'));
  const [, table = ''] = page.split('### The record');
  const rows = [...(table.split('### Ids')[0] ?? '').matchAll(/^\| (`\w+`|any other name|one of)/gm)].map(([, name]) => name);
  const other = [['rack'], ['pid']];
  const expected = rows.flatMap((name) => {
    if (name === 'any other name') return other.shift() ?? [];
    return [name === 'one of' ? 'message' : (name ?? '').replaceAll('`', '')];
  });
  t.same(Object.keys(app), expected);
  t.end();
});

void test('the hellos and the refusal are what the code writes and reads', (t) => {
  const [agent = ''] = block('agent-hello');
  const [receiver = ''] = block('receiver-hello');
  const [refusal = ''] = block('refusal');
  t.equal(`${agent}\n`, encodeHello({ version: 1, role: 'agent', name: 'web-1', boot: '4f1b2f3c-8f0e-4d29-9a53-5d1f0f2f9f11' }));
  const facts = { name: 'log-a', ready: true, reason: '', max_frame_bytes: 33_554_432, compression: ['zstd'] };
  t.equal(`${receiver}\n`, encodeHello({ version: 1, role: 'receiver', ...facts }));
  t.ok(parseAgentHello(agent));
  t.ok(parseReceiverHello(receiver));
  t.equal(`${refusal}\n`, encodeRefusal('the peer sent something that is not cfjs1'));
  t.end();
});

void test('the frame that is shown byte by byte is what the code writes and reads', (t) => {
  let offset = 0;
  const pieces = block('hex').map((row) => {
    const [, at = '', hex = ''] = /^([0-9a-f]{4}) {2}((?:[0-9a-f]{2} ?)+)/.exec(row) ?? [];
    t.equal(Number.parseInt(at, 16), offset, row);
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    offset += bytes.length;
    return bytes;
  });
  const payload = Buffer.from('{"format":"app","app":{"message":"hi"}}\n');
  const frame = Buffer.concat(pieces);
  t.same(frame, Buffer.concat([encodeBatchHead({ type: 'batch', id: 1, count: 1 }, payload.length), payload]));
  t.match([...new FrameReader(1000).push(frame)], [{ header: { type: 'batch', id: 1, count: 1 }, payload }]);
  t.end();
});

void test('the messages that are shown as bytes are what the code writes', (t) => {
  const shown = block('hex-messages').map((row) => (row.split(/ {2,}/)[1] ?? '').replaceAll(' ', ''));
  const messages = [
    { type: 'ack', id: 1 },
    { type: 'refused', id: 1, records: [0], reason: 'not UTF-8' },
    { type: 'ready', ready: false, reason: 'the disk is full' },
    { type: 'goodbye' },
  ] as const;
  t.same(
    shown,
    messages.map((message) => encodeMessage(message).toString('hex')),
  );
  t.end();
});

/** A line in whose object objects are nested so deep. */
function nested(depth: number): string {
  return `{"format":"app","app":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`;
}

void test('the limits are those of the code', async (t) => {
  for (const bytes of [MAX_HELLO_BYTES, MAX_HEADER_BYTES, MIN_MAX_FRAME_BYTES]) t.match(page, new RegExp(`\\b${bytes}\\b`));
  t.match(page, `more than ${MAX_REFUSED_RECORDS} records`);
  t.match(page, `more than ${MAX_COMPRESSION_RATIO} times`);
  t.match(page, `(1 to ${MAX_EPOCH_BYTES} bytes`);
  t.same(
    [nested(128), nested(129)].map((line) => parse([line]).batches.length),
    [1, 0],
  );
  const { options } = new Wire();
  t.equal(options.max_line_bytes, 2 * 1024 * 1024);
  t.equal(options.greeting_timeout, 60_000);
  t.equal(options.max_frame_bytes, 33_554_432);
});
