import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { seqnumCursor, timeCursor } from '../file/cursor.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { CursorFile } from './cursor_file.ts';
import { Positions } from './positions.ts';

const [A, B] = ['a1'.repeat(16), 'b2'.repeat(16)];

void test('each sequence goes on behind its own cursor, and one that was not seen behind a time', async (t) => {
  const positions = new Positions(500);
  positions.set(seqnumCursor(A, 7, 1000));
  t.same(positions.of(A), seqnumCursor(A, 7, 1000));
  t.same(positions.of(B), timeCursor(500, B));
});

void test('positions are the same after they were written and read', async (t) => {
  const positions = new Positions(500);
  positions.set(seqnumCursor(A, 7, 1000));
  positions.set(timeCursor(500, B));
  positions.set(seqnumCursor(A, 9, 2000));
  const text = positions.toText();
  t.equal(text.split('\n')[0], seqnumCursor(A, 9, 2000).text, 'the one that moved last is the first line');
  const read = Positions.parse(text, 'file');
  t.same(read.cursors, positions.cursors);
  t.equal(read.of('cc'.repeat(16)).realtime, 500, 'what is met now begins where it would have without a restart');
});

void test('a copy moves on its own', async (t) => {
  const positions = new Positions(500);
  for (const cursor of [seqnumCursor(A, 7, 1000), seqnumCursor(B, 1, 900)]) positions.set(cursor);
  const copy = positions.copy();
  t.equal(copy.toText(), positions.toText());
  copy.set(seqnumCursor(A, 8, 1001));
  t.same([positions.of(A).seqnum, copy.of(A).seqnum], [7, 8]);
  t.equal(positions.copy(600).of('cc'.repeat(16)).realtime, 600);
});

void test('a cursor that an operator put there is a position', async (t) => {
  const positions = Positions.parse(`${seqnumCursor(A, 9, 2000).text}\n`, 'file');
  t.equal(positions.of(A).seqnum, 9);
  t.equal(positions.of(B).realtime, 2000, 'all else begins behind its time');
  t.equal(Positions.parse('t=ff', 'file').of(A).realtime, 255);
});

void test('anything else is refused with what to do', async (t) => {
  for (const text of ['', '\n', 'garbage', `${seqnumCursor(A, 9, 2000).text}\nhello\n`]) {
    t.throws(() => Positions.parse(text, '/state/cursor'), {
      code: 'state_invalid',
      message: /^\/state\/cursor does not hold/,
      hint: /remove it/,
    });
  }
});

void test('what is behind moves nothing, and what stands still does not count as having moved', async (t) => {
  const positions = new Positions(500);
  positions.set(seqnumCursor(A, 7, 1000));
  positions.set(seqnumCursor(B, 1, 900));
  for (const cursor of [seqnumCursor(A, 6, 2000), seqnumCursor(A, 7, 1000), timeCursor(3000, A)]) positions.advance(cursor);
  t.same(positions.cursors, [seqnumCursor(B, 1, 900), seqnumCursor(A, 7, 1000)]);
  positions.advance(seqnumCursor(A, 8, 800));
  t.equal(positions.cursors[0]?.seqnum, 8, 'numbers decide, not the clock');
  positions.set(timeCursor(3000, B));
  positions.advance(seqnumCursor(B, 2, 100));
  t.equal(positions.of(B).seqnum, 2, 'a point in time has no number to be behind');
});

void test('sequences without number do not fill the memory', async (t) => {
  const positions = new Positions(0);
  for (let number = 0; number < 2000; number++) {
    positions.set(seqnumCursor(number.toString(16).padStart(32, '0'), 1, number));
    positions.set(seqnumCursor(A, number, number));
  }
  t.equal(positions.cursors.length, 1024);
  t.equal(positions.of(A).seqnum, 1999, 'the one that moves is kept');
});

void test('the file is replaced as a whole, and holds what was saved last', async (t) => {
  const directory = temporaryDirectory(t);
  const file = new CursorFile(directory);
  t.equal(await file.load(), undefined);
  const positions = new Positions(1);
  for (const seqnum of [1, 2]) {
    positions.set(seqnumCursor(A, seqnum, seqnum));
    await file.save(positions);
    t.equal(readFileSync(join(directory, 'cursor'), 'utf8'), positions.toText());
    t.same((await file.load())?.of(A).seqnum, seqnum);
  }
  // A save that was cut off has left its beginning behind.
  writeFileSync(join(directory, 'cursor.new'), 's=');
  t.same((await file.load())?.of(A).seqnum, 2);
  await file.save(positions);
});

void test('a file that cannot be written is the system’s error', async (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'cursor.new'));
  await t.rejects(new CursorFile(directory).save(new Positions(0)), { code: 'EISDIR' });
});
