import fc from 'fast-check';
import { test } from 'tap';
import { ByteWriter } from '../kit/byte_writer.ts';
import { Cfjs1Encoder } from '../kit/cfjs1_encoder.ts';
import { writeLetters } from './letter.ts';
import { LetterReader } from './letter_reader.ts';
import { batchOf } from './testdata/letters.ts';

const reader = new LetterReader();

interface Seen {
  readonly head?: unknown;
  readonly line?: string;
  readonly problem?: string;
}

function read(text: string | Buffer): Seen[] {
  const bytes = Buffer.from(text);
  const seen: Seen[] = [];
  reader.read(bytes, {
    letter: ({ head, lineStart, lineEnd }) => seen.push({ head, line: bytes.toString('utf8', lineStart, lineEnd) }),
    unreadable: (_start, _end, problem) => seen.push({ problem }),
  });
  return seen;
}

const HEAD = { time: 't', reason: 'refused', destination: 'log-a', attempts: 1, detail: 'd', receiver: 'r' };

void test('whatever was refused with whatever words is read as it was written', async (t) => {
  const encoder = new Cfjs1Encoder();
  const letter = fc.record({
    detail: fc.string({ unit: 'binary', maxLength: 40 }),
    receiver: fc.string({ maxLength: 10 }),
    destination: fc.string({ maxLength: 10 }),
    body: fc.oneof(
      fc.string({ maxLength: 30 }).map((text) => ({ body: text.toWellFormed() })),
      fc.json().map((json) => ({ body: `{ "value" : ${json} }`, kind: 'json' as const })),
    ),
    attempts: fc.nat(),
  });
  fc.assert(
    fc.property(letter, ({ detail, receiver, destination, body, attempts }) => {
      const writer = new ByteWriter(16);
      const batch = batchOf([body], { receiver });
      const refusal = { reason: 'refused', detail, attempts } as const;
      writeLetters({ batch, records: [0], destination, refusal }, 0, encoder, writer);
      const [seen] = read(writer.written());
      writer.length = 0;
      encoder.encode(batch, writer);
      t.same(seen, {
        head: {
          time: '1970-01-01T00:00:00.000000Z',
          reason: 'refused',
          destination: destination.toWellFormed(),
          attempts,
          detail: detail.toWellFormed(),
          receiver: receiver.toWellFormed(),
        },
        line: writer.written().toString().trimEnd(),
      });
    }),
  );
});

void test('a letter that was edited by hand is read with its members in any order, and its record byte for byte', async (t) => {
  const line = '{ "format":"x", "x":{"n":1e3,"n":2} }';
  const { time, ...rest } = HEAD;
  const text = `{"line": ${line}, "note":"mine", ${JSON.stringify(rest).slice(1, -1)} , "time":"${time}"}\n\n`;
  t.same(read(text), [{ head: HEAD, line }]);
});

void test('what is no letter is told apart, and the letters around it are read', async (t) => {
  const good = JSON.stringify({ ...HEAD, line: { format: 'x', x: {} } });
  const bad = [
    ['garbage', 'not a JSON object'],
    ['\u0000\u0000', 'not a JSON object'],
    ['{"format":"x","x":{}}', 'no member "time" that is a string'],
    [JSON.stringify({ ...HEAD, attempts: '1', line: {} }), 'no member "attempts" that is a whole number'],
    [JSON.stringify({ ...HEAD, line: 'x' }), 'no member "line" that is an object'],
    [JSON.stringify(HEAD), 'no member "line" that is an object'],
    [JSON.stringify({ ...HEAD, destination: 7, line: {} }), 'no member "destination" that is a string'],
  ] as const;
  const seen = read(bad.map(([line]) => `${good}\n${line}\n`).join(''));
  t.same(
    seen.filter((_, at) => at % 2 === 1),
    bad.map(([, problem]) => ({ problem })),
  );
  t.same(
    seen.filter((_, at) => at % 2 === 0),
    bad.map(() => ({ head: HEAD, line: '{"format":"x","x":{}}' })),
  );
  const invalid = Buffer.from(`${good}\n`);
  invalid[invalid.indexOf('log-a')] = 0xff;
  t.same(read(invalid), [{ problem: 'not UTF-8' }]);
});

void test('a record nested as deep as a line may be is still a letter', async (t) => {
  const body = `${'{"a":'.repeat(126)}{}${'}'.repeat(126)}`;
  const line = `{"format":"x","x":{"body":${body}}}`;
  t.same(read(`${JSON.stringify(HEAD).slice(0, -1)},"line":${line}}\n`), [{ head: HEAD, line }]);
});

void test('more letters than are looked at in one go are all read', async (t) => {
  const good = `${JSON.stringify({ ...HEAD, line: { format: 'x', x: { text: 'y'.repeat(500) } } })}\n`;
  t.equal(read(good.repeat(5000)).filter(({ line }) => line !== undefined).length, 5000);
});
