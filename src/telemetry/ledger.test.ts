import * as fc from 'fast-check';
import { test } from 'tap';
import { Ledger } from './ledger.ts';
import { MetricsRegistry } from './metrics.ts';

void test('the ledger balances while records are on their way and when they have arrived', async (t) => {
  const ledger = new Ledger();
  const account = ledger.account('pipe');
  let held = { receiver: 'pipe', inFlight: 10, spooled: 0 };
  ledger.held(() => [held]);
  account.accepted(10);
  t.equal(ledger.snapshot().total.unaccounted, 0);
  account.dropped(2, 'rate_limit');
  held = { receiver: 'pipe', inFlight: 0, spooled: 8 };
  t.equal(ledger.snapshot().total.unaccounted, 0);
  account.delivered(5);
  account.deadLettered(1, 'too_large');
  held = { receiver: 'pipe', inFlight: 0, spooled: 2 };
  t.same(ledger.snapshot().receivers.get('pipe'), {
    accepted: 10,
    delivered: 5,
    deadLettered: 1,
    dropped: 2,
    inFlight: 0,
    spooled: 2,
    unaccounted: 0,
    deadLetteredByReason: { too_large: 1 },
    droppedByReason: { rate_limit: 2 },
  });
});

void test('records that vanish are unaccounted, records from nowhere are unaccounted below zero', async (t) => {
  const ledger = new Ledger();
  ledger.account('loses').accepted(3);
  ledger.account('doubles').accepted(1);
  ledger.account('doubles').delivered(2);
  ledger.held(() => [{ receiver: 'unheard-of', inFlight: 0, spooled: 4 }]);
  const { receivers, total } = ledger.snapshot();
  t.equal(receivers.get('loses')?.unaccounted, 3);
  t.equal(receivers.get('doubles')?.unaccounted, -1);
  t.equal(receivers.get('unheard-of')?.unaccounted, -4);
  t.equal(total.unaccounted, -2);
});

void test('what several stages hold for a receiver is summed', async (t) => {
  const ledger = new Ledger();
  ledger.account('pipe').accepted(15);
  ledger.held(() => [
    { receiver: 'pipe', inFlight: 1, spooled: 2 },
    { receiver: 'pipe', inFlight: 3, spooled: 4 },
  ]);
  ledger.held(() => [{ receiver: 'pipe', inFlight: 0, spooled: 5 }]);
  t.match(ledger.snapshot().total, { inFlight: 4, spooled: 11, unaccounted: 0 });
});

void test('reasons named from outside cannot grow the ledger without bound, and none of their records is lost', async (t) => {
  const ledger = new Ledger();
  const account = ledger.account('cfjs1');
  for (let n = 0; n < 1000; n++) account.deadLettered(1, `reason ${n} ${'x'.repeat(1000)}`);
  account.deadLettered(1, '__proto__');
  const { deadLettered, deadLetteredByReason } = ledger.snapshot().total;
  t.equal(deadLettered, 1001);
  t.ok(Object.keys(deadLetteredByReason).length <= 65);
  t.ok(Object.keys(deadLetteredByReason).every((reason) => reason.length <= 64));
  t.equal(
    Object.values(deadLetteredByReason).reduce((sum, records) => sum + records, 0),
    1001,
  );
});

void test('the total balances whatever is booked on whichever account', async () => {
  const booking = fc.record({
    receiver: fc.constantFrom('a', 'b', 'c'),
    kind: fc.constantFrom('delivered', 'deadLettered', 'dropped', 'inFlight', 'spooled'),
    records: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.array(booking), (bookings) => {
      const ledger = new Ledger();
      ledger.held(() =>
        bookings
          .filter(({ kind }) => kind === 'inFlight' || kind === 'spooled')
          .map(({ receiver, kind, records }) => ({
            receiver,
            inFlight: kind === 'inFlight' ? records : 0,
            spooled: kind === 'spooled' ? records : 0,
          })),
      );
      for (const { receiver, kind, records } of bookings) {
        const account = ledger.account(receiver);
        account.accepted(records);
        if (kind === 'delivered') account.delivered(records);
        if (kind === 'deadLettered') account.deadLettered(records, 'too_large');
        if (kind === 'dropped') account.dropped(records, `limit ${records}`);
      }
      const { receivers, total } = ledger.snapshot();
      const accepted = bookings.reduce((sum, { records }) => sum + records, 0);
      return (
        total.accepted === accepted && total.unaccounted === 0 && [...receivers.values()].every((one) => one.unaccounted === 0)
      );
    }),
  );
});

void test('the ledger is exported with one series a receiver, and one a reason where there are reasons', async (t) => {
  const metrics = new MetricsRegistry();
  const ledger = new Ledger();
  ledger.export(metrics);
  const account = ledger.account('pipe/nginx');
  account.accepted(10);
  account.delivered(4);
  account.deadLettered(1, 'too_large');
  account.dropped(2, 'rate_limit');
  ledger.held(() => [{ receiver: 'pipe/nginx', inFlight: 1, spooled: 1 }]);
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('sluice_ledger_'));
  t.same(lines, [
    'sluice_ledger_accepted_records_total{receiver="pipe/nginx"} 10',
    'sluice_ledger_delivered_records_total{receiver="pipe/nginx"} 4',
    'sluice_ledger_dead_lettered_records_total{receiver="pipe/nginx",reason="too_large"} 1',
    'sluice_ledger_dropped_records_total{receiver="pipe/nginx",reason="rate_limit"} 2',
    'sluice_ledger_in_flight_records{receiver="pipe/nginx"} 1',
    'sluice_ledger_spooled_records{receiver="pipe/nginx"} 1',
    'sluice_ledger_unaccounted_records{receiver="pipe/nginx"} 1',
  ]);
});
