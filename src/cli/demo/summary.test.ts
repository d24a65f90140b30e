import { test } from 'tap';
import { ledgerLine, requireNothingLost, totalsIn } from './summary.ts';

const stopped = {
  message: 'stopped',
  accepted: 100_034,
  delivered: 100_000,
  dead_lettered: 0,
  dropped: 34,
  spooled: 0,
  undelivered: 0,
  unaccounted: 0,
};

void test('the totals are those of the last line of the log', async (t) => {
  t.same(totalsIn([{ message: 'running' }, stopped]), {
    accepted: 100_034,
    delivered: 100_000,
    deadLettered: 0,
    dropped: 34,
    spooled: 0,
    undelivered: 0,
    unaccounted: 0,
  });
  t.equal(totalsIn([{ message: 'running' }, { message: 'stopping' }]), undefined);
  t.equal(totalsIn([]), undefined);
});

void test('the ledger line adds up', async (t) => {
  const totals = totalsIn([stopped]);
  t.equal(
    totals === undefined ? '' : ledgerLine(totals),
    'Ledger: 100,034 in = 100,000 at both receivers + 34 left out; 0 undelivered, 0 unaccounted for. It goes on over restarts.',
  );
  const waiting = totalsIn([{ ...stopped, accepted: 100_041, spooled: 5, dead_lettered: 2 }]);
  t.match(
    waiting === undefined ? '' : ledgerLine(waiting),
    '+ 34 left out + 2 refused + 5 on disk for the next start; 0 undelivered',
  );
});

void test('an end at which records are or may be lost is an error', async (t) => {
  requireNothingLost(totalsIn([stopped]), 'sluice.log');
  t.throws(
    () => requireNothingLost(totalsIn([{ ...stopped, undelivered: 3 }]), 'sluice.log'),
    /3 records could not be delivered/,
  );
  t.throws(() => requireNothingLost(totalsIn([{ ...stopped, unaccounted: 1 }]), 'sluice.log'), /unaccounted/);
  t.throws(() => requireNothingLost(undefined, 'var/sluice.log'), { code: 'process_failed', hint: /var\/sluice.log/ });
});
