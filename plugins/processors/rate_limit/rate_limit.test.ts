import * as fc from 'fast-check';
import { test } from 'tap';
import type { Batch } from '../../../src/core/batch.ts';
import { NameTable } from '../../../src/core/names.ts';
import { Resource } from '../../../src/core/resource.ts';
import { makeBatch, readBatch } from '../../../test/helpers/batches.ts';
import { FakeProcessorContext } from '../../../test/helpers/contexts.ts';
import { VirtualClock } from '../../../test/helpers/virtual_clock.ts';
import definition from './index.ts';

const DROPPED = 'sluice_rate_limit_dropped_records_total';

/** A processor in virtual time with what its tests look at. */
function limiter(options: Record<string, unknown>) {
  const clock = new VirtualClock();
  const context = new FakeProcessorContext({ id: 'rate_limit', clock });
  const processor = definition.create(definition.options.parse(options), context);
  const services = new NameTable();
  /** Sends one batch of records, named by their services, and gives back the bodies of those that pass. */
  const send = (names: readonly string[], table = services): string[] => {
    const batch = makeBatch(
      names.map((service, at) => ({ body: `${service}${at}`, service })),
      { services: table },
    );
    processor.process(batch);
    return readBatch(batch).map(({ body }) => body);
  };
  return { clock, context, processor, send };
}

function times(count: number, name: string): string[] {
  return Array.from({ length: count }, () => name);
}

void test('a service may send its burst at once and then its rate', async (t) => {
  const { clock, send } = limiter({ records_per_second: 10, burst: 50 });
  t.equal(send(times(100, 'a')).length, 50);
  t.equal(send(times(100, 'a')).length, 0);
  clock.advance(1000);
  t.equal(send(times(100, 'a')).length, 10);
  clock.advance(3_600_000);
  t.equal(send(times(100, 'a')).length, 50, 'no more than the burst is saved up');
});

void test('fractions of a token add up', async (t) => {
  const { clock, send } = limiter({ records_per_second: 0.5 });
  t.equal(send(['a']).length, 1, 'a burst is at least one record');
  clock.advance(1999);
  t.equal(send(['a']).length, 0);
  clock.advance(1);
  t.equal(send(['a']).length, 1);
});

void test('one service that floods leaves the records of the others, and their order, alone', async (t) => {
  const { send } = limiter({ records_per_second: 2 });
  t.same(send(['x', 'a', 'x', 'x', 'b', 'x', 'a', 'x']), ['x0', 'a1', 'x2', 'b4', 'a6']);
});

void test('records that name no service share a bucket', async (t) => {
  const { context, send } = limiter({ records_per_second: 1 });
  t.same(send(['', 'a', '']), ['0', 'a1']);
  t.equal(context.metrics.value(DROPPED, { service: '' }), 1);
});

void test('batches whose services have other ids in other tables share the buckets', async (t) => {
  const { send } = limiter({ records_per_second: 3 });
  const first = new NameTable();
  first.intern('a');
  const second = new NameTable();
  second.intern('b');
  second.intern('a');
  t.equal(send(['a', 'a'], first).length, 2);
  t.same(send(['b', 'a', 'a'], second), ['b0', 'a1']);
  t.same(send(['a', 'b'], first), ['b1']);
});

void test('an override sets what it gives and takes the rest from the general limit', async (t) => {
  const { clock, send } = limiter({
    records_per_second: 1,
    burst: 5,
    overrides: { fast: { records_per_second: 100 }, wide: { burst: 20 }, constructor: { burst: 7 } },
  });
  for (const [service, burst, rate] of [
    ['fast', 5, 5],
    ['wide', 20, 1],
    ['constructor', 7, 1],
    ['toString', 5, 1],
  ] as const) {
    t.equal(send(times(50, service)).length, burst, service);
    clock.advance(1000);
    t.equal(send(times(50, service)).length, rate, service);
  }
});

void test('without a burst a second of the rate is the burst, of an override its own', async (t) => {
  const { send } = limiter({ records_per_second: 4, overrides: { big: { records_per_second: 9 } } });
  t.equal(send(times(20, 'a')).length, 4);
  t.equal(send(times(20, 'big')).length, 9);
});

void test('what is dropped is reported to the engine and counted by service', async (t) => {
  const { context, send } = limiter({ records_per_second: 1 });
  send([...times(4, 'a'), ...times(3, 'b'), 'c']);
  t.match(context.drops, [{ count: 5, reason: 'rate_limit' }]);
  t.equal(context.metrics.value(DROPPED, { service: 'a' }), 3);
  t.equal(context.metrics.value(DROPPED, { service: 'b' }), 2);
  t.equal(context.metrics.value(DROPPED, { service: 'c' }), undefined, 'a service that is not limited has no series');
});

void test('the key unused for longest is forgotten when there are too many', async (t) => {
  const { context, send } = limiter({ records_per_second: 1, max_keys: 2 });
  send(['a']);
  send(['b']);
  send(['a']);
  send(['c']);
  t.equal(context.metrics.value('sluice_rate_limit_keys'), 2);
  t.equal(context.metrics.value('sluice_rate_limit_evicted_keys_total'), 1);
  t.same(send(['a']), [], 'a was used after b and is remembered');
  t.same(send(['b']), ['b0'], 'b was forgotten and starts full');
});

void test('a forgotten bucket is not used again through a table that still has it', async (t) => {
  const { context, send } = limiter({ records_per_second: 2, max_keys: 1 });
  const table = new NameTable();
  const other = new NameTable();
  send(['a'], table);
  send(['b'], table);
  t.same(send(['a', 'a', 'a'], other), ['a0', 'a1'], 'a new bucket');
  t.same(send(['a', 'a'], table), [], 'the same bucket, not the forgotten one with a token left');
  t.equal(context.metrics.value('sluice_rate_limit_keys'), 1);
});

void test('more services in one batch than keys are remembered are still limited one by one', async (t) => {
  const { context, send } = limiter({ records_per_second: 1, max_keys: 2 });
  t.same(send(['a', 'a', 'b', 'c', 'c', 'a', 'a']), ['a0', 'b2', 'c3', 'a5']);
  t.equal(context.dropped, 3);
  t.equal(context.metrics.value(DROPPED, { service: 'a' }), 2);
});

void test('once a window one record for each limited service says how many were dropped', async (t) => {
  const { clock, context, processor } = limiter({ records_per_second: 5000, burst: 20_000, summary_interval: '10s' });
  const resource = new Resource({ host: 'web-1' });
  const flood = (service: string, count: number, format: string): void =>
    processor.process(
      makeBatch(
        Array.from({ length: count }, () => ({ body: 'x', service })),
        { format, resource },
      ),
    );
  flood('nginx', 20_001, 'web');
  clock.advance(4000);
  flood('nginx', 20_003, 'web');
  flood('a "b"', 20_001, 'app');
  clock.advance(5999);
  t.equal(context.emitted.length, 0);
  clock.advance(1);
  t.match(
    context.emitted.map(({ batch }) => ({ receiver: batch.receiver, format: batch.format })),
    [
      { receiver: 'rate_limit', format: 'web' },
      { receiver: 'rate_limit', format: 'app' },
    ],
  );
  t.equal(context.emitted[0]?.batch.resource, resource);
  t.same(
    context.emitted.flatMap(({ records }) => records),
    [
      {
        body: 'rate limit: 4 records of service "nginx" were dropped in the last 10 s (limit 5000/s, burst 20000)',
        kind: 'text',
        service: 'nginx',
        severity: 13,
        time: clock.wallMicros(),
        sequence: 0,
        fields: '"suppressed":4',
        truncated: false,
        partial: false,
      },
      {
        body: 'rate limit: 1 record of service "a \\"b\\"" was dropped in the last 10 s (limit 5000/s, burst 20000)',
        kind: 'text',
        service: 'a "b"',
        severity: 13,
        time: clock.wallMicros(),
        sequence: 0,
        fields: '"suppressed":1',
        truncated: false,
        partial: false,
      },
    ],
  );
});

void test('a window without drops says nothing and keeps no timer, the next drop starts a new one', async (t) => {
  const { clock, context, send } = limiter({ records_per_second: 1, summary_interval: '10s' });
  send(['a']);
  t.equal(clock.pendingTimers, 0);
  send(['a', 'a']);
  clock.advance(10_000);
  t.equal(context.emitted.length, 1);
  t.equal(clock.pendingTimers, 0);
  clock.advance(3_600_000);
  send(['a', 'a', 'a']);
  clock.advance(10_000);
  t.match(context.emitted[1]?.records, [{ body: /^rate limit: 2 records .* in the last 10 s/, fields: '"suppressed":2' }]);
});

void test('a summary names the services limited in its own window only', async (t) => {
  const { clock, context, send } = limiter({ records_per_second: 1, summary_interval: '10s' });
  send(['a', 'a']);
  clock.advance(10_000);
  send(['b', 'b']);
  clock.advance(10_000);
  t.same(
    context.emitted.map(({ records }) => records.map(({ service }) => service)),
    [['a'], ['b']],
  );
});

void test('stop says what was dropped since the last summary, once', async (t) => {
  const { clock, context, processor, send } = limiter({ records_per_second: 1 });
  send(['', '', '']);
  clock.advance(3000);
  processor.stop?.();
  processor.stop?.();
  t.equal(clock.pendingTimers, 0);
  t.match(
    context.emitted.flatMap(({ records }) => records),
    [{ body: 'rate limit: 2 records without a service were dropped in the last 3 s (limit 1/s, burst 1)' }],
  );
});

void test('summaries are bounded: services beyond a thousand are summed, and no dropped record is missing', async (t) => {
  const { context, processor, send } = limiter({ records_per_second: 1 });
  const names = Array.from({ length: 1500 }, (_, n) => `service-${n}-${'ü'.repeat(500)}`);
  send([...names, ...names, ...names]);
  processor.stop?.();
  const records = context.emitted.flatMap(({ records }) => records);
  t.equal(records.length, 1001);
  t.match(records.at(-1), { service: '', body: 'rate limit: 1000 records of other services were dropped in the last 1 s' });
  const suppressed = records.map(({ fields }) => Number(/^"suppressed":(\d+)$/.exec(fields)?.[1]));
  t.equal(
    suppressed.reduce((sum, count) => sum + count, 0),
    3000,
  );
  t.ok(records.every(({ body }) => body.length < 400));
});

void test('it lets through what a bucket for each service, worked out record by record, lets through', async () => {
  const step = fc.record({ waitMs: fc.nat(2000), names: fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 30 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 8 }), (steps, burst) => {
      const { clock, send } = limiter({ records_per_second: 4, burst });
      const tokens = new Map<string, { left: number; atMs: number }>();
      return steps.every(({ waitMs, names }) => {
        clock.advance(waitMs);
        const nowMs = clock.monotonicMs();
        const expected = names.flatMap((name, at) => {
          const bucket = tokens.get(name) ?? { left: burst, atMs: nowMs };
          const left = Math.min(burst, bucket.left + (nowMs - bucket.atMs) * 0.004);
          tokens.set(name, { left: left >= 1 ? left - 1 : left, atMs: nowMs });
          return left >= 1 ? [`${name}${at}`] : [];
        });
        return JSON.stringify(send(names)) === JSON.stringify(expected);
      });
    }),
  );
});

function isValid(options: Record<string, unknown>): boolean {
  return definition.options.safeParse(options).success;
}

void test('limits that would let nothing through, and unknown options, are refused', async (t) => {
  t.equal(isValid({ records_per_second: 0.1 }), true);
  t.equal(isValid({}), false, 'the rate is required');
  t.equal(isValid({ records_per_second: 0 }), false);
  t.equal(isValid({ records_per_second: -1 }), false);
  t.equal(isValid({ records_per_second: Infinity }), false);
  t.equal(isValid({ records_per_second: 1, burst: 0 }), false);
  t.equal(isValid({ records_per_second: 1, overrides: { a: { burst: 0 } } }), false);
  t.equal(isValid({ records_per_second: 1, overrides: { a: { rate: 1 } } }), false);
  t.equal(isValid({ records_per_second: 1, key: 'host' }), false);
});

void test('the records that pass keep every column', async (t) => {
  const { processor } = limiter({ records_per_second: 1 });
  const full = { body: '{"a":1}', kind: 'json', service: 'b', severity: 17, time: 5, sequence: 8, fields: '"pid":1' } as const;
  const batch: Batch = makeBatch([{ body: 'x', service: 'a' }, { body: 'y', service: 'a' }, full]);
  processor.process(batch);
  t.match(readBatch(batch), [{ body: 'x' }, full]);
});
