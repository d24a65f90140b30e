import assert from 'node:assert/strict';
import { systemClock } from '../../src/core/clock.ts';
import { waitFor } from '../helpers/wait_for.ts';
import { type ExporterSubject, onBench } from './exporter_bench.ts';
import { lookOutside } from './outside.ts';
import { NotApplicable, type Rule, sameList } from './rule.ts';

/** How long an exporter whose destination fails is given to stop, and by how much it may be late. */
const STOP_MS = 300;
const STOP_SLACK_MS = 3000;

export const exporterRules: readonly Rule<ExporterSubject>[] = [
  {
    title: 'is created without touching anything outside',
    check: (subject) =>
      onBench(subject, async ({ before, directories }) => {
        sameList(lookOutside(directories), before, 'create changed the outside');
      }),
  },
  {
    title: 'may be stopped before it was started, and twice',
    check: (subject) =>
      onBench(subject, async ({ exporter }) => {
        await exporter.stop(systemClock.monotonicMs());
        await exporter.stop(systemClock.monotonicMs());
      }).then(() =>
        onBench(subject, async ({ exporter, deadlineMs }) => {
          await exporter.start();
          await exporter.stop(systemClock.monotonicMs() + deadlineMs);
          await exporter.stop(systemClock.monotonicMs() + deadlineMs);
        }),
      ),
  },
  {
    title: 'stores every record and settles every delivery once, in order',
    check: (subject) =>
      onBench(subject, async (bench) => {
        bench.push(10);
        await bench.exporter.start();
        await bench.settled();
        bench.push(1);
        await bench.settled();
        bench.push(40);
        await bench.settled();
        await bench.checkComplete();
        const { ready, reason } = bench.exporter.readiness();
        assert.deepEqual({ ready, reason }, { ready: true, reason: '' }, 'the readiness of an exporter that delivers');
      }),
  },
  {
    title: 'keeps what a failing destination does not take, says that it is not ready, and delivers all once it recovers',
    check: (subject) =>
      onBench(subject, async (bench) => {
        if (bench.sink.fail === undefined) throw new NotApplicable('its destination cannot be made to fail');
        await bench.exporter.start();
        bench.push(5);
        await bench.settled();
        const repair = await bench.sink.fail();
        bench.push(10);
        await bench.notReady();
        assert.notEqual(bench.exporter.readiness().reason, '', 'why the exporter is not ready');
        for (const { settled, refusals } of bench.context.cursors) {
          sameList(settled, [0, 1, 2, 3, 4], 'positions settled while the destination failed');
          sameList(refusals, [], 'records refused though trying again could help');
        }
        await repair();
        await bench.settled();
        await bench.checkComplete();
        await waitFor(() => bench.exporter.readiness().ready, {
          deadlineMs: bench.deadlineMs,
          what: 'the exporter to be ready again',
        });
      }),
  },
  {
    title: 'counts what is refused for good, once, and delivers the records around it',
    check: (subject) =>
      onBench(subject, async (bench) => {
        if (bench.sink.refusable === undefined) throw new NotApplicable('its destination refuses nothing');
        await bench.exporter.start();
        bench.push(2);
        const { batch, refused } = bench.sink.refusable();
        bench.pushBatch(batch);
        bench.push(2);
        await bench.settled();
        for (const { destination, refusals, settled } of bench.context.cursors) {
          sameList(settled, [0, 1, 2, 3, 4], `positions settled at ${destination}`);
          assert.ok(
            refusals.every(({ position }) => position === 2),
            'a record was refused that should have been stored',
          );
          assert.ok(
            refusals.every(({ detail }) => detail !== ''),
            'a refusal has no reason',
          );
          assert.equal(
            refusals.reduce((sum, { records }) => sum + records.length, 0),
            refused,
            `records refused by ${destination}`,
          );
          const stored = new Set(await bench.sink.stored(destination));
          sameList(
            bench.pushed.filter((body) => !stored.has(body)),
            [],
            'bodies that are missing around the refused ones',
          );
        }
      }),
  },
  {
    title: 'delivers what waits before it stops',
    check: (subject) =>
      onBench(subject, async (bench) => {
        await bench.exporter.start();
        bench.push(30);
        await bench.exporter.stop(systemClock.monotonicMs() + bench.deadlineMs);
        assert.ok(bench.context.spool.isEmpty, 'deliveries were left though there was time');
        await bench.checkComplete();
      }),
  },
  {
    title: 'stops by the deadline when its destination fails, and leaves the rest unsettled for good',
    check: (subject) =>
      onBench(subject, async (bench) => {
        if (bench.sink.fail === undefined) throw new NotApplicable('its destination cannot be made to fail');
        await bench.exporter.start();
        const repair = await bench.sink.fail();
        bench.push(3);
        const startMs = systemClock.monotonicMs();
        await bench.exporter.stop(startMs + STOP_MS);
        assert.ok(systemClock.monotonicMs() - startMs < STOP_MS + STOP_SLACK_MS, 'the exporter stopped long after the deadline');
        await repair();
        await new Promise((resolve) => setTimeout(resolve, STOP_MS));
        for (const { settled } of bench.context.cursors) sameList(settled, [], 'positions settled without having been stored');
      }),
  },
];
