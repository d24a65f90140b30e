import assert from 'node:assert/strict';
import { DELIVERED, type Outcome } from '../../src/core/ack.ts';
import { isFormatName } from '../../src/kit/options.ts';
import { waitFor, within } from '../helpers/wait_for.ts';
import { lookOutside } from './outside.ts';
import { type Bench, ID, onBench, type ReceiverSubject } from './receiver_bench.ts';
import { NotApplicable, type Rule, sameList, withoutRepeats } from './rule.ts';

/** How long a receiver that may not emit is watched. */
const QUIET_MS = 100;

const OUTCOMES: readonly Outcome[] = [
  DELIVERED,
  { kind: 'dropped', reason: 'contract' },
  { kind: 'rejected', reason: 'contract' },
  { kind: 'failed', reason: 'contract' },
];

async function onReplayable(subject: ReceiverSubject, check: (bench: Bench) => Promise<void>): Promise<void> {
  if (!subject.definition.replayable) throw new NotApplicable('its source cannot be asked again');
  await onBench(subject, check);
}

/** Bodies that differ from each other and from those of other names. */
function bodiesOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${name} number ${at}`);
}

function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, QUIET_MS));
}

export const receiverRules: readonly Rule<ReceiverSubject>[] = [
  {
    title: 'is created without touching anything outside',
    check: (subject) =>
      onBench(subject, async (bench) => {
        const before = lookOutside(bench.directories);
        bench.create();
        sameList(lookOutside(bench.directories), before, 'create changed the outside');
      }),
  },
  {
    title: 'may be stopped before it was started, and twice',
    check: (subject) =>
      onBench(subject, async (bench) => {
        const unstarted = bench.create();
        await unstarted.receiver.stop();
        await unstarted.receiver.stop();
        const started = bench.create();
        await started.receiver.start();
        await Promise.all([started.receiver.stop(), started.receiver.stop()]);
        await started.receiver.stop();
        assert.equal(started.context.emitted.length, 0, 'something was emitted though nothing was written');
      }),
  },
  {
    title: 'emits every record that is written, once and in order, under its own id',
    check: (subject) =>
      onBench(subject, async (bench) => {
        const trial = bench.create();
        const { context, receiver } = trial;
        await receiver.start();
        const first = bodiesOf('first', 300);
        const second = bodiesOf('second', 300);
        await bench.source.write(first);
        await trial.received(first.length);
        await bench.source.write(second);
        await trial.received(first.length + second.length);
        await receiver.stop();
        sameList(trial.bodies, [...first, ...second], 'bodies of the records');
        for (const { batch, records } of context.emitted) {
          assert.equal(batch.receiver, ID, 'the receiver of a batch');
          assert.ok(records.length > 0, 'an empty batch was emitted');
          assert.ok(isFormatName(batch.format), `the format of a batch is ${JSON.stringify(batch.format)}`);
        }
      }),
  },
  {
    title: 'settles no ack itself, and goes on whatever the engine settles them with',
    check: (subject) =>
      onBench(subject, async (bench) => {
        const trial = bench.create();
        const { context, receiver } = trial;
        await receiver.start();
        for (const [round, outcome] of OUTCOMES.entries()) {
          await bench.source.write(bodiesOf(outcome.kind, 10));
          await trial.received((round + 1) * 10);
          const open = context.emitted.slice(-1);
          assert.ok(
            open.every(({ batch }) => !batch.settled),
            'a batch was settled by the receiver',
          );
          context.settleAll(outcome);
        }
        await trial.end();
      }),
  },
  {
    title: 'emits nothing while there is no room, and everything once there is',
    check: (subject) =>
      onReplayable(subject, async (bench) => {
        const trial = bench.create();
        const { context, receiver } = trial;
        context.fill();
        await receiver.start();
        const written = bodiesOf('waiting', 500);
        await bench.source.write(written);
        await waitFor(() => context.waits > 0 || context.emitted.length > 0, {
          deadlineMs: bench.deadlineMs,
          what: 'the receiver to ask for room',
        });
        await quiet();
        assert.equal(context.records.length, 0, 'records were emitted though there was no room');
        context.drain();
        await trial.received(written.length);
        sameList(trial.bodies, written, 'bodies of the records');
      }),
  },
  {
    title: 'stops while it waits for room',
    check: (subject) =>
      onBench(subject, async (bench) => {
        const { context, receiver } = bench.create();
        context.fill();
        await receiver.start();
        await bench.source.write(bodiesOf('waiting', 100));
        await within(receiver.stop(), { deadlineMs: bench.deadlineMs, what: 'the receiver to stop while there is no room' });
      }),
  },
  {
    title: 'emits a record that is unfinished when it is stopped',
    check: (subject) =>
      onBench(subject, async (bench) => {
        const trial = bench.create();
        const { receiver } = trial;
        const { source } = bench;
        if (source.writeUnfinished === undefined) throw new NotApplicable('its source has no unfinished records');
        await receiver.start();
        await source.writeUnfinished('a whole record', 'the beginning of a rec');
        await trial.received(1);
        await receiver.stop();
        sameList(trial.bodies, ['a whole record', 'the beginning of a rec'], 'bodies of the records');
      }),
  },
  {
    title: 'emits nothing after it has stopped',
    check: (subject) =>
      onBench(subject, async (bench) => {
        const trial = bench.create();
        const { context, receiver } = trial;
        await receiver.start();
        await bench.source.write(['a record']);
        await trial.received(1);
        await receiver.stop();
        const emitted = context.emitted.length;
        context.settleAll(DELIVERED);
        await quiet();
        await trial.end();
        assert.equal(context.emitted.length, emitted, 'batches were emitted after stop');
      }),
  },
  {
    title: 'can be started anew with the same options once it has stopped',
    check: (subject) =>
      onBench(subject, async (bench) => {
        for (const name of ['before', 'after']) {
          const trial = bench.create();
          const { context, receiver } = trial;
          await receiver.start();
          await bench.source.reconnect?.();
          const written = bodiesOf(name, 10);
          await bench.source.write(written);
          await trial.received(10);
          sameList(trial.bodies, written, `bodies of the records ${name} the restart`);
          await receiver.stop();
          context.settleAll(DELIVERED);
          await trial.end();
        }
      }),
  },
  {
    title: 'is offered again after a restart what was not delivered, and nothing that was',
    check: (subject) =>
      onReplayable(subject, async (bench) => {
        const first = bench.create();
        await first.receiver.start();
        const [delivered, failed] = [bodiesOf('delivered', 50), bodiesOf('failed', 50)];
        await bench.source.write(delivered);
        await first.received(50);
        first.context.settleAll(DELIVERED);
        await bench.source.write(failed);
        await first.received(100);
        await first.end();

        const second = bench.create();
        await second.receiver.start();
        await bench.source.reconnect?.();
        await second.received(50);
        await quiet();
        sameList(withoutRepeats(second.bodies), failed, 'bodies of the records after the restart');
      }),
  },
];
