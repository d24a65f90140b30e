import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { AnyProcessor } from '../../src/config/agent_config.ts';
import type { Batch } from '../../src/core/batch.ts';
import type { Processor } from '../../src/core/component.ts';
import { isFormatName } from '../../src/kit/options.ts';
import { makeBatch, type PlainRecord, readBatch, type RecordSpec } from '../helpers/batches.ts';
import { FakeProcessorContext } from '../helpers/contexts.ts';
import { VirtualClock } from '../helpers/virtual_clock.ts';
import type { RawOptions } from './contract.ts';
import { lookOutside } from './outside.ts';
import { type Rule, sameList } from './rule.ts';

export interface ProcessorSubject {
  readonly definition: AnyProcessor;
  readonly options: RawOptions;
  /** An empty directory of its own, each time. */
  readonly directory: () => string;
}

const ID = 'under/test';

interface Running {
  readonly processor: Processor;
  readonly context: FakeProcessorContext;
  readonly clock: VirtualClock;
}

function create({ definition, options, directory }: ProcessorSubject): Running {
  const clock = new VirtualClock();
  const context = new FakeProcessorContext({ id: ID, clock, stateDirectory: directory() });
  return { processor: definition.create(definition.options.parse(options), context), context, clock };
}

const recordArbitrary: fc.Arbitrary<RecordSpec> = fc.record({
  body: fc.oneof(fc.string(), fc.uint8Array({ maxLength: 20 }), fc.constant('{"service":"a","level":"info","n":1}')),
  kind: fc.constantFrom('text', 'json', 'binary', 'cfjs1'),
  service: fc.constantFrom('', 'a', 'b', 'nginx'),
  severity: fc.nat(24),
  fields: fc.constantFrom('', '"pid":7'),
  flags: fc.nat(3),
});

/** Batches with the time that passes before each; the sequence numbers tell all records apart. */
const flowArbitrary = fc
  .array(fc.record({ waitMs: fc.nat(5000), records: fc.array(recordArbitrary, { maxLength: 40 }) }), { maxLength: 8 })
  .map((steps) => {
    let sequence = 0;
    return steps.map(({ waitMs, records }) => ({ waitMs, records: records.map((one) => ({ ...one, sequence: sequence++ })) }));
  });

interface Passed {
  readonly batch: Batch;
  readonly before: readonly PlainRecord[];
  readonly after: readonly PlainRecord[];
  readonly arenaBefore: Buffer;
}

/** Sends generated batches through a new processor, stops it, and gives everything to `check`. */
async function forFlows(subject: ProcessorSubject, check: (running: Running, passed: readonly Passed[]) => void): Promise<void> {
  fc.assert(
    fc.property(flowArbitrary, (steps) => {
      const running = create(subject);
      const passed = steps.map(({ waitMs, records }) => {
        running.clock.advance(waitMs);
        const batch = makeBatch(records);
        const [before, arenaBefore] = [readBatch(batch), Buffer.from(batch.arena)];
        running.processor.process(batch);
        return { batch, before, after: readBatch(batch), arenaBefore };
      });
      running.processor.stop?.();
      check(running, passed);
    }),
    { numRuns: 100, includeErrorInReport: true },
  );
}

export const processorRules: readonly Rule<ProcessorSubject>[] = [
  {
    title: 'is created without touching anything outside',
    async check(subject) {
      const directory = subject.directory();
      const before = lookOutside([directory]);
      const { clock } = create({ ...subject, directory: () => directory });
      sameList(lookOutside([directory]), before, 'create changed the outside');
      assert.equal(clock.pendingTimers, 0, 'create set a timer');
    },
  },
  {
    title: 'loses no record and invents none: what goes in comes out or is counted as dropped',
    check: (subject) =>
      forFlows(subject, ({ context }, passed) => {
        for (const { batch, before, after } of passed) {
          const dropped = context.drops.filter((drop) => drop.batch === batch).reduce((sum, { count }) => sum + count, 0);
          assert.equal(after.length + dropped, before.length, 'records that came out and records dropped');
          const kept = new Set(after.map(({ sequence }) => sequence));
          const expected = before.map(({ sequence }) => sequence).filter((sequence) => kept.has(sequence));
          sameList(
            after.map(({ sequence }) => sequence),
            expected,
            'the records that came out, by sequence number',
          );
        }
        assert.ok(
          context.drops.every(({ batch }) => passed.some((one) => one.batch === batch)),
          'a drop names a batch that was given',
        );
      }),
  },
  {
    title: 'gives each drop a number and a reason that can be a label',
    check: (subject) =>
      forFlows(subject, ({ context }) => {
        for (const { count, reason } of context.drops) {
          assert.ok(Number.isInteger(count) && count > 0, `${count} records were dropped`);
          assert.match(reason, /^[a-z][a-z0-9_]{0,63}$/, 'the reason of a drop');
        }
      }),
  },
  {
    title: 'writes no byte in the arena',
    check: (subject) =>
      forFlows(subject, (_, passed) => {
        for (const { batch, arenaBefore } of passed) assert.ok(batch.arena.equals(arenaBefore), 'the arena has changed');
      }),
  },
  {
    title: 'leaves a batch alone once process has returned, and settles none',
    check: (subject) =>
      forFlows(subject, (_, passed) => {
        for (const { batch, after } of passed) {
          assert.equal(batch.settled, false, 'a batch was settled');
          assert.deepEqual(readBatch(batch), after, 'a batch was changed after process had returned');
        }
      }),
  },
  {
    title: 'takes an empty batch as it is',
    async check(subject) {
      const { processor, context } = create(subject);
      const batch = makeBatch([]);
      processor.process(batch);
      assert.equal(batch.count, 0);
      assert.equal(context.drops.length, 0, 'something was dropped of an empty batch');
      assert.equal(context.emitted.length, 0, 'something was emitted for an empty batch');
    },
  },
  {
    title: 'emits its own records under its own id, complete and unsettled',
    check: (subject) =>
      forFlows(subject, ({ context }, passed) => {
        for (const { batch, records } of context.emitted) {
          assert.equal(batch.receiver, ID, 'the receiver of an emitted batch');
          assert.ok(records.length > 0, 'an empty batch was emitted');
          assert.ok(isFormatName(batch.format), `the format of an emitted batch is ${JSON.stringify(batch.format)}`);
          assert.ok(
            records.every(({ time }) => time > 0),
            'an emitted record has no time',
          );
          assert.equal(batch.settled, false, 'an emitted batch was settled');
          assert.ok(!passed.some((one) => one.batch === batch), 'a batch that came in was emitted');
        }
      }),
  },
  {
    title: 'leaves no timer behind when it is stopped',
    async check(subject) {
      await forFlows(subject, ({ clock }) => assert.equal(clock.pendingTimers, 0, 'timers are left'));
      const { processor, clock } = create(subject);
      processor.stop?.();
      assert.equal(clock.pendingTimers, 0, 'timers are left of a processor that got no batch');
    },
  },
];
