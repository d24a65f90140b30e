import { test } from 'tap';
import { MetricsRegistry } from './metrics.ts';
import { MAX_CAPPED_TRACKED } from './series.ts';

/** The sample lines of one metric, without its comments. */
async function samples(registry: MetricsRegistry, name: string): Promise<string[]> {
  const text = await registry.text();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

void test('the metrics of a component carry its id, global ones do not', async (t) => {
  const registry = new MetricsRegistry();
  registry.forComponent('pipe/nginx').counter('sluice_x_records_total', 'X.').add(2);
  registry.global.counter('sluice_y_records_total', 'Y.').add();
  t.same(await samples(registry, 'sluice_x_records_total'), ['sluice_x_records_total{component="pipe/nginx"} 2']);
  t.same(await samples(registry, 'sluice_y_records_total'), ['sluice_y_records_total 1']);
});

void test('the same name and labels give the same series, whatever the order of the labels', async (t) => {
  const { global } = new MetricsRegistry();
  const first = global.counter('sluice_x_total', 'X.', { a: '1', b: '2' });
  t.equal(global.counter('sluice_x_total', 'X.', { b: '2', a: '1' }), first);
  t.not(global.counter('sluice_x_total', 'X.', { a: '2', b: '1' }), first);
});

void test('two components share a metric and have a series each', async (t) => {
  const registry = new MetricsRegistry();
  for (const id of ['a', 'b']) registry.forComponent(id).gauge('sluice_x_bytes', 'X.').set(id.length);
  t.same(await samples(registry, 'sluice_x_bytes'), ['sluice_x_bytes{component="a"} 1', 'sluice_x_bytes{component="b"} 1']);
});

void test('an observed gauge is read when it is scraped, by the latest reader', async (t) => {
  const registry = new MetricsRegistry();
  let depth = 1;
  registry.global.observed('sluice_x_records', 'X.', () => -1);
  registry.global.observed('sluice_x_records', 'X.', () => depth);
  depth = 7;
  t.same(await samples(registry, 'sluice_x_records'), ['sluice_x_records 7']);
});

void test('a histogram counts into its buckets and shows zeros before the first observation', async (t) => {
  const registry = new MetricsRegistry();
  const histogram = registry.global.histogram('sluice_x_seconds', 'X.', [0.1, 1], { destination: 'log-a' });
  t.same(await samples(registry, 'sluice_x_seconds_count'), ['sluice_x_seconds_count{destination="log-a"} 0']);
  for (const value of [0.05, 0.5, 5]) histogram.observe(value);
  t.same(await samples(registry, 'sluice_x_seconds_bucket'), [
    'sluice_x_seconds_bucket{le="0.1",destination="log-a"} 1',
    'sluice_x_seconds_bucket{le="1",destination="log-a"} 2',
    'sluice_x_seconds_bucket{le="+Inf",destination="log-a"} 3',
  ]);
});

void test('services above max_series are summed under _other, and their number is shown', async (t) => {
  const registry = new MetricsRegistry({ maxSeries: 2 });
  const metrics = registry.forComponent('rate_limit');
  const add = (service: string): void => metrics.counter('sluice_x_records_total', 'X.', { service }).add(10);
  for (const service of ['a', 'b', 'c', 'd', 'a', 'c']) add(service);
  t.same(await samples(registry, 'sluice_x_records_total'), [
    'sluice_x_records_total{component="rate_limit",service="a"} 20',
    'sluice_x_records_total{component="rate_limit",service="b"} 10',
    'sluice_x_records_total{component="rate_limit",service="_other"} 30',
  ]);
  t.same(await samples(registry, 'sluice_telemetry_capped_series'), [
    'sluice_telemetry_capped_series{metric="sluice_x_records_total"} 2',
  ]);
});

void test('a million services do not grow the metrics without bound', async (t) => {
  const registry = new MetricsRegistry({ maxSeries: 5 });
  const services = MAX_CAPPED_TRACKED + 100;
  for (let n = 0; n < services; n++) registry.global.counter('sluice_x_records_total', 'X.', { service: `s${n}` }).add();
  const lines = await samples(registry, 'sluice_x_records_total');
  t.equal(lines.length, 6);
  t.equal(lines.at(-1), `sluice_x_records_total{service="_other"} ${services - 5}`);
  t.same(await samples(registry, 'sluice_telemetry_capped_series'), [
    `sluice_telemetry_capped_series{metric="sluice_x_records_total"} ${MAX_CAPPED_TRACKED}`,
  ]);
});

void test('gauges above max_series show the sum of what each was last set to', async (t) => {
  const registry = new MetricsRegistry({ maxSeries: 1 });
  const [first, second, third] = ['a', 'b', 'c'].map((service) => registry.global.gauge('sluice_x_bytes', 'X.', { service }));
  first?.set(1);
  second?.set(10);
  third?.set(5);
  second?.set(20);
  t.same(await samples(registry, 'sluice_x_bytes'), ['sluice_x_bytes{service="a"} 1', 'sluice_x_bytes{service="_other"} 25']);
});

void test('a histogram above max_series is shared too', async (t) => {
  const registry = new MetricsRegistry({ maxSeries: 1 });
  for (const service of ['a', 'b', 'c']) registry.global.histogram('sluice_x_seconds', 'X.', [1], { service }).observe(1);
  t.same(await samples(registry, 'sluice_x_seconds_count'), [
    'sluice_x_seconds_count{service="a"} 1',
    'sluice_x_seconds_count{service="_other"} 2',
  ]);
});

void test('metrics that have no service label are not capped', async (t) => {
  const registry = new MetricsRegistry({ maxSeries: 1 });
  for (const reason of ['a', 'b', 'c']) registry.global.counter('sluice_x_records_total', 'X.', { reason }).add();
  t.equal((await samples(registry, 'sluice_x_records_total')).length, 3);
});

void test('a metric cannot change its type or its labels', async (t) => {
  const { global } = new MetricsRegistry();
  global.counter('sluice_x_total', 'X.', { a: '1' });
  t.throws(() => global.gauge('sluice_x_total', 'X.', { a: '1' }), /is a counter already and cannot be a gauge/);
  t.throws(() => global.histogram('sluice_x_total', 'X.', [1], { a: '1' }), /cannot be a histogram/);
  t.throws(() => global.counter('sluice_x_total', 'X.', { b: '1' }), /expected a, got b/);
  t.throws(() => global.counter('sluice_x_total', 'X.', { a: '1', b: '1' }), /expected a, got a, b/);
  t.throws(() => global.counter('sluice-x', 'X.'), /Invalid metric name/);
});

void test('label values may hold anything', async (t) => {
  const registry = new MetricsRegistry();
  registry.global.counter('sluice_x_total', 'X.', { service: 'a"b\\c\nd' }).add();
  t.same(await samples(registry, 'sluice_x_total'), ['sluice_x_total{service="a\\"b\\\\c\\nd"} 1']);
});
