import { test } from 'tap';
import { MetricsRegistry } from '../../telemetry/metrics.ts';
import { figuresOf, parseSamples, settledBefore, withoutEarlier } from './figures.ts';

void test('samples are read as our own metrics are written', async (t) => {
  const metrics = new MetricsRegistry({ maxSeries: 10 });
  const component = metrics.forComponent('logx');
  component.counter('sluice_a_total', 'Help with "quotes" and {braces} 1.', { path: 'a"b\\c\nd,e="f"' }).add(3);
  component.gauge('sluice_b', 'Help.').set(1.5e-7);
  const samples = parseSamples(await metrics.text());
  t.match(
    samples.find(({ name }) => name === 'sluice_a_total'),
    { labels: { path: 'a"b\\c\nd,e="f"', component: 'logx' }, value: 3 },
  );
  t.equal(samples.find(({ name }) => name === 'sluice_b')?.value, 1.5e-7);
  t.ok(samples.every(({ value }) => !Number.isNaN(value)));
});

void test('the figures are summed over receivers and told apart by destination and route', async (t) => {
  const page = `# HELP sluice_ledger_accepted_records_total Records that the receiver took in.
# TYPE sluice_ledger_accepted_records_total counter
sluice_ledger_accepted_records_total{receiver="pipe/demo"} 100
sluice_ledger_accepted_records_total{receiver="unix"} 20
sluice_ledger_dropped_records_total{receiver="pipe/demo",reason="rate_limit"} 30
sluice_ledger_dropped_records_total{receiver="pipe/demo",reason="spool_full"} 4
sluice_ledger_dead_lettered_records_total{receiver="unix",reason="too_large"} 1
sluice_ledger_in_flight_records{receiver="unix"} 2
sluice_ledger_spooled_records{receiver="unix"} 3
sluice_logx_delivered_records_total{component="logx",destination="log-a",route="direct"} 60
sluice_logx_delivered_records_total{component="logx",destination="log-a",route="diverted"} 20
sluice_logx_delivered_records_total{component="logx",destination="log-b",route="direct"} 80
`;
  t.same(figuresOf(parseSamples(page)), {
    accepted: 120,
    delivered: { 'log-a': { direct: 60, diverted: 20 }, 'log-b': { direct: 80, diverted: 0 } },
    limited: 30,
    dropped: 5,
    waiting: 5,
  });
});

function delivered(a: number, b: number) {
  return { 'log-a': { direct: a, diverted: 0 }, 'log-b': { direct: b - 1, diverted: 1 } };
}

void test('the numbers of a run leave out what had settled in the runs before it, and add up', async (t) => {
  // Before: 40 delivered, 7 left out by the limit, 2 dropped, 20 on disk. Of these, 5 had arrived when it was first asked.
  const first = { accepted: 69, delivered: delivered(5, 6), limited: 7, dropped: 2, waiting: 15 };
  const later = { accepted: 99, delivered: delivered(45, 45), limited: 10, dropped: 2, waiting: 2 };
  t.same(withoutEarlier(later, settledBefore(first)), { ...later, accepted: 50, limited: 3, dropped: 0 });
  t.same(withoutEarlier(later, settledBefore(figuresOf([]))), later, 'the first run of all');
});
