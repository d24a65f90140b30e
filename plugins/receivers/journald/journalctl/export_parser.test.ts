import fc from 'fast-check';
import { test } from 'tap';
import { ExportParser } from './export_parser.ts';

const MAX_VALUE_BYTES = 20;

interface ReadField {
  /** `NAME=value` as latin1 text, one byte longer than the bound where there was more. */
  readonly text: string;
  readonly length: number;
}

/** All entries that are complete, the fields behind them, and what was wrong. */
function parse(chunks: readonly Buffer[], maxValueBytes = MAX_VALUE_BYTES) {
  const parser = new ExportParser(maxValueBytes);
  const entries: ReadField[][] = [];
  let fields: ReadField[] = [];
  for (const chunk of chunks) {
    parser.push(chunk);
    for (let found = parser.next(); found !== 'nothing' && found !== 'broken'; found = parser.next()) {
      if (found === 'field') {
        fields.push({ text: parser.bytes.toString('latin1', parser.start, parser.end), length: parser.length });
      } else {
        entries.push(fields);
        fields = [];
      }
    }
  }
  return { entries, rest: fields, problem: parser.problem };
}

function texts(entries: readonly (readonly ReadField[])[]): string[][] {
  return entries.map((fields) => fields.map(({ text }) => text));
}

/** A field as journalctl writes it. */
function encode(name: string, value: Buffer, isBinary: boolean): Buffer {
  if (!isBinary) return Buffer.concat([Buffer.from(`${name}=`), value, Buffer.from('\n')]);
  return Buffer.concat([Buffer.from(`${name}\n${length(value.length, 0)}`, 'latin1'), value, Buffer.from('\n')]);
}

/** A length of 64 bits, as latin1 text. */
function length(low: number, high: number): string {
  return Buffer.from(Uint32Array.of(low, high).buffer).toString('latin1');
}

/** `bytes` in pieces that end at these places. */
function split(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1))), bytes.length].toSorted((a, b) => a - b);
  let start = 0;
  return ends.map((end) => {
    // A copy, whose end is where the buffer ends, and which shows if an earlier chunk is looked at again.
    const piece = Buffer.from(bytes.subarray(start, end));
    start = end;
    return piece;
  });
}

void test('text and binary fields become entries', async (t) => {
  const bytes = Buffer.concat([
    Buffer.from('__CURSOR=s=1;i=2\nMESSAGE=hello = world\nEMPTY=\n'),
    encode('RAW', Buffer.from('two\nlines\0'), true),
    encode('RAW', Buffer.alloc(0), true),
    Buffer.from('\nMESSAGE=next\n\n'),
  ]);
  const { entries, rest, problem } = parse([bytes]);
  t.same(texts(entries), [['__CURSOR=s=1;i=2', 'MESSAGE=hello = world', 'EMPTY=', 'RAW=two\nlines\0', 'RAW='], ['MESSAGE=next']]);
  t.same({ rest, problem }, { rest: [], problem: '' });
});

void test('an entry of which the end is missing is not one', async (t) => {
  const { entries, rest } = parse([Buffer.from('A=1\n\nB=2\nC=3')]);
  t.same(texts(entries), [['A=1']]);
  t.same(texts([rest]), [['B=2']]);
});

void test('values are cut behind the bound, and one byte more shows that they were', async (t) => {
  const long = Buffer.from('x'.repeat(MAX_VALUE_BYTES + 30));
  const exact = Buffer.from('y'.repeat(MAX_VALUE_BYTES));
  for (const isBinary of [false, true]) {
    const bytes = Buffer.concat([encode('A', long, isBinary), encode('B', exact, isBinary), Buffer.from('\n')]);
    for (const chunks of [[bytes], split(bytes, [3, 17, 40])]) {
      const { entries } = parse(chunks);
      t.same(entries, [
        [
          { text: `A=${'x'.repeat(MAX_VALUE_BYTES + 1)}`, length: 2 + MAX_VALUE_BYTES + 30 },
          { text: `B=${'y'.repeat(MAX_VALUE_BYTES)}`, length: 2 + MAX_VALUE_BYTES },
        ],
      ]);
    }
  }
});

void test('a value of 768 MiB takes no more memory than the bound', async (t) => {
  const parser = new ExportParser(1024 * 1024);
  const bytes = 768 * 1024 * 1024;
  const chunk = Buffer.alloc(1024 * 1024, 0x0a);
  const before = process.memoryUsage().rss;
  parser.push(Buffer.from(`A\n${length(bytes, 0)}`, 'latin1'));
  t.equal(parser.next(), 'nothing');
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    parser.push(chunk);
    if (parser.next() !== 'nothing') t.fail('the value ended early');
  }
  parser.push(Buffer.from('\n\n'));
  t.same([parser.next(), parser.next(), parser.next()], ['field', 'entry', 'nothing']);
  t.same({ length: parser.length, kept: parser.end }, { length: 2 + bytes, kept: 2 + 1024 * 1024 + 1 });
  t.ok(process.memoryUsage().rss - before < 32 * 1024 * 1024);
});

void test('entries are the same however they are cut into chunks', async (t) => {
  const name = fc.constantFrom('A', 'MESSAGE', '_PID', '0', 'N'.repeat(64));
  const value = fc.uint8Array({ maxLength: 2 * MAX_VALUE_BYTES }).map((array) => Buffer.from(array));
  const field = fc
    .record({ name, value, isBinary: fc.boolean() })
    .map(({ name: of, value: bytes, isBinary }) => ({ name: of, value: bytes, isBinary: isBinary || bytes.includes(0x0a) }));
  const journal = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 6 });
  fc.assert(
    fc.property(journal, fc.array(fc.nat(), { maxLength: 30 }), (entries, places) => {
      const encoded = entries.flatMap((fields) => [
        ...fields.map(({ name: of, value: bytes, isBinary }) => encode(of, bytes, isBinary)),
        Buffer.from('\n'),
      ]);
      const expected = entries.map((fields) =>
        fields.map(({ name: of, value: bytes }) => ({
          text: `${of}=${bytes.toString('latin1', 0, MAX_VALUE_BYTES + 1)}`,
          length: of.length + 1 + bytes.length,
        })),
      );
      const found = parse(split(Buffer.concat(encoded), places));
      t.same(found, { entries: expected, rest: [], problem: '' });
    }),
    { numRuns: 500 },
  );
});

void test('bytes that are not the format are never more than a problem, and take no more memory', async (t) => {
  const like = fc.constantFrom('A=', 'MESSAGE\n', '\n', '\n\n', '\0\0\0\0\0\0\0\0', '\x03\0\0\0\0\0\0\0', '=', 'a', '\xff');
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
    like.map((text) => Buffer.from(text, 'latin1')),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(), { maxLength: 10 }), (pieces, places) => {
      const bytes = Buffer.concat(pieces);
      const whole = parse([bytes]);
      t.same(parse(split(bytes, places)), whole);
      for (const { text } of [...whole.entries.flat(), ...whole.rest]) t.match(text, /^[A-Z0-9_]{1,64}=[^]{0,21}$/);
    }),
    { numRuns: 2000 },
  );
});

void test('a stream that is not the format is told apart by what is wrong with it', async (t) => {
  const broken: readonly [string, RegExp][] = [
    ['Nov 20 12:00:00 web-1 sshd[7]: text\n', /does not begin with a name/],
    ['=1\n', /does not begin with a name/],
    [`${'N'.repeat(65)}=1\n`, /name of a field is too long/],
    [`A\n${length(0, 1)}x\n`, /longer than journald takes/],
    [`A\n${length(0xffffffff, 0xffffffff)}x\n`, /longer than journald takes/],
    [`A\n${length(2, 0)}xyz\n`, /does not end where it should/],
  ];
  for (const [text, problem] of broken) {
    const bytes = Buffer.from(`B=1\n\n${text}\n\nC=1\n\n`, 'latin1');
    for (const chunks of [[bytes], split(bytes, Array.from(bytes.keys()))]) {
      const found = parse(chunks);
      t.match(found.problem, problem, JSON.stringify(text.slice(0, 20)));
      t.same(texts(found.entries), [['B=1']], 'what came before it is good');
    }
  }
});
