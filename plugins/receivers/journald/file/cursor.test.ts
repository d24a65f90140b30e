import { test } from 'tap';
import { epochOf, parseCursor, seqnumCursor, timeCursor } from './cursor.ts';

const FULL =
  's=0639c7d6fdca428b84a5d7e4e4b0c1a5;i=4ece7;b=6c7c6013a26343b29e964691ff25d04c;m=4fc72436e;t=4c508a72423d9;x=d3e5610681098c10';

void test('journald’s own cursors are read, with what the reader goes by', async (t) => {
  t.same(parseCursor(FULL), {
    text: FULL,
    seqnumId: '0639c7d6fdca428b84a5d7e4e4b0c1a5',
    seqnum: 0x4ece7,
    bootId: '6c7c6013a26343b29e964691ff25d04c',
    realtime: 0x4c508a72423d9,
  });
});

void test('cursors that lack parts are read as far as they go', async (t) => {
  const seqnumId = 'a1'.repeat(16);
  for (const cursor of [seqnumCursor(seqnumId, 12, 345), timeCursor(345, seqnumId), timeCursor(345)]) {
    t.same(parseCursor(cursor.text), cursor, cursor.text);
  }
  t.match(parseCursor(`s=${seqnumId};i=c`), { seqnum: 12, realtime: 0 });
});

void test('what is not a cursor is not taken for one', async (t) => {
  const bad = [
    '',
    'hello',
    's=1;i=2',
    `s=${'a1'.repeat(16)}`,
    'i=5',
    `${FULL};`,
    `${FULL}\n`,
    't=xyz',
    't=',
    `t=${'f'.repeat(16)}`,
  ];
  for (const text of bad) t.equal(parseCursor(text), undefined, JSON.stringify(text));
});

void test('numbers are counted in a sequence and a boot', async (t) => {
  const epoch = epochOf('a1'.repeat(16), '0123456789abcdef'.repeat(2));
  t.equal(epoch, `${'a1'.repeat(16)}.01234567`);
  t.match(epoch, /^[!#-[\]-~]{1,64}$/, 'docs/CFJS1.md allows it');
});
