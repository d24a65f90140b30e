import { test } from 'tap';
import { seqnumCursor, timeCursor } from '../file/cursor.ts';
import { Positions } from '../position/positions.ts';
import { isAhead, isPassed, startPlace } from './places.ts';
import type { Tail } from './tails.ts';

const [A, B, C] = ['a1'.repeat(16), 'b2'.repeat(16), 'c3'.repeat(16)];

function tail(seqnumId: string, seqnum: number, realtime: number): Tail {
  return { seqnumId, seqnum, realtime, isForeign: false };
}

/** Entry 7 of A was read at 1000, entry 3 of B at 900, and of others what is not later than 500. */
function positions(): Positions {
  const reached = new Positions(500);
  reached.set(seqnumCursor(A, 7, 1000));
  reached.set(seqnumCursor(B, 3, 900));
  return reached;
}

void test('entries are told apart from those that were read by number, and where none was read by time', async (t) => {
  const reached = positions();
  t.equal(isPassed(seqnumCursor(A, 7, 1000), reached), true);
  t.equal(isPassed(seqnumCursor(A, 8, 999), reached), false, 'although the clock was set back');
  t.equal(isPassed(seqnumCursor(C, 1, 500), reached), true);
  t.equal(isPassed(seqnumCursor(C, 1, 501), reached), false);
});

void test('files are ahead that have entries which were not read', async (t) => {
  const reached = positions();
  t.equal(isAhead(tail(A, 7, 2000), reached), false);
  t.equal(isAhead(tail(A, 8, 1), reached), true);
  t.equal(isAhead(tail(C, 1, 500), reached), false);
  t.equal(isAhead(tail(C, 1, 501), reached), true);
  t.equal(isAhead(tail(C, 0, 0), new Positions(0)), false, 'an empty file is not');
});

void test('journalctl begins at the earliest place of the sequences that have more to read', async (t) => {
  const reached = positions();
  const behindB = seqnumCursor(B, 3, 900);
  t.same(startPlace(reached, [tail(A, 9, 2000), tail(B, 3, 900)]), seqnumCursor(A, 7, 1000));
  t.same(startPlace(reached, [tail(A, 9, 2000), tail(B, 4, 2000)]), behindB);
  t.same(startPlace(reached, [tail(A, 9, 2000), tail(C, 4, 2000)]), timeCursor(500, C));
  t.same(startPlace(reached, []), behindB, 'the one that moved last, where there is nothing to read');
  t.same(startPlace(new Positions(500), []), timeCursor(500));
});
