import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { z } from 'zod';
import type { Batch } from '../../src/core/batch.ts';
import { defineProcessor, type Processor, type ProcessorContext } from '../../src/core/component.ts';
import { DELIVERED } from '../../src/core/ack.ts';
import { makeBatch } from '../helpers/batches.ts';
import { directories } from './plugins.ts';
import { processorRules } from './processor_rules.ts';
import { ruleNamed } from './rule.ts';

type Create = (context: ProcessorContext) => Processor;

/** Drops every third record, and says so in a record of its own a second later. */
const good: Create = (context) => {
  const { clock } = context;
  let dropped = 0;
  let timer: { cancel(): void } | undefined;
  const report = (): void => {
    timer = undefined;
    if (dropped > 0) context.emit(own(context, `dropped ${dropped}`));
    dropped = 0;
  };
  return {
    process(batch) {
      const more = dropThirds(batch);
      if (more === 0) return;
      context.drop(batch, more, 'thirds');
      dropped += more;
      timer ??= clock.after(1000, report);
    },
    stop() {
      timer?.cancel();
      report();
    },
  };
};

function own({ id, clock }: ProcessorContext, body: string): Batch {
  return makeBatch([{ body, time: clock.wallMicros() }], { receiver: id });
}

function dropThirds(batch: Batch): number {
  const { count } = batch;
  let kept = 0;
  for (let at = 0; at < count; at++) if (at % 3 !== 2) batch.move(at, kept++);
  batch.truncate(kept);
  return count - kept;
}

/** A processor that does only this with each batch. */
function only(process: (batch: Batch, context: ProcessorContext) => void): Create {
  return (context) => ({ process: (batch) => process(batch, context) });
}

/** Ways to break the contract, each with the rule that must notice and what it must say. */
const defects: readonly (readonly [what: string, create: Create, rule: string, message: RegExp])[] = [
  ['drops without saying so', only(dropThirds), 'loses no record', /records that came out and records dropped/],
  [
    'says that it dropped what it did not',
    only((batch, context) => context.drop(batch, 1, 'a')),
    'loses no record',
    /records that came out and records dropped/,
  ],
  [
    'reverses the records',
    only((batch) => {
      if (batch.count < 2) return;
      const last = batch.columns.sequence[batch.count - 1] ?? 0;
      batch.move(0, batch.count - 1);
      batch.columns.sequence[0] = last;
    }),
    'loses no record',
    /by sequence number/,
  ],
  [
    'gives a drop no name',
    only((batch, context) => {
      const dropped = dropThirds(batch);
      if (dropped > 0) context.drop(batch, dropped, '');
    }),
    'gives each drop',
    /the reason of a drop/,
  ],
  ['writes into the arena', only((batch) => batch.arena.fill(0x7e)), 'writes no byte', /the arena has changed/],
  ['settles a batch', only((batch) => batch.settle(DELIVERED)), 'leaves a batch alone', /a batch was settled/],
  [
    'changes the batch before',
    () => {
      let before: Batch | undefined;
      return {
        process(batch) {
          before?.columns.severity.fill(9);
          before = batch;
        },
      };
    },
    'leaves a batch alone',
    /changed after process had returned/,
  ],
  [
    'fails on an empty batch',
    only((batch) => {
      if (batch.count === 0) throw new RangeError('no records');
    }),
    'takes an empty batch',
    /no records/,
  ],
  [
    'emits under another id',
    only((_, context) => context.emit(own({ ...context, id: 'x' }, 'a'))),
    'emits its own',
    /the receiver of an emitted batch/,
  ],
  ['emits what it was given', only((batch, context) => context.emit(batch)), 'emits its own', /the receiver of an emitted batch/],
  [
    'emits empty batches',
    only((_, context) => context.emit(makeBatch([], { receiver: context.id }))),
    'emits its own',
    /an empty batch was emitted/,
  ],
  ['leaves a timer', only((_, { clock }) => void clock.after(1e9, () => {})), 'leaves no timer', /timers are left/],
  [
    'sets a timer when it is created',
    ({ clock }) => {
      const timer = clock.after(1000, () => {});
      return { process: () => {}, stop: () => timer.cancel() };
    },
    'is created without',
    /create set a timer/,
  ],
  [
    'writes a file when it is created',
    ({ stateDirectory }) => {
      writeFileSync(join(stateDirectory, 'state'), 'x');
      return { process: () => {} };
    },
    'is created without',
    /create changed the outside/,
  ],
];

function definitionOf(create: Create) {
  return defineProcessor<unknown>({
    summary: 'For a test.',
    options: z.strictObject({}),
    create: (_, context) => create(context),
  });
}

void test('a processor that keeps the contract breaks no rule', async (t) => {
  const subject = { definition: definitionOf(good), options: {}, directory: directories(t) };
  for (const rule of processorRules) await t.resolves(rule.check(subject), rule.title);
});

for (const [what, create, rule, message] of defects) {
  void test(`a processor that ${what} is found out`, async (t) => {
    const subject = { definition: definitionOf(create), options: {}, directory: directories(t) };
    await t.rejects(ruleNamed(processorRules, rule).check(subject), { message });
  });
}
