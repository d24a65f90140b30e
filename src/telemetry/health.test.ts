import { test } from 'tap';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { Health } from './health.ts';

/** A health with one stage, whose state the test sets. */
function watchedStage(deadlineMs = 10_000) {
  const clock = new VirtualClock();
  const health = new Health(clock);
  const stage = { hasWork: false, progress: 0 };
  health.registerProgress('exporter', { hasWork: () => stage.hasWork, progress: () => stage.progress, deadlineMs });
  health.start();
  return { clock, health, stage };
}

void test('a stage without work is alive however long it stands still', async (t) => {
  const { clock, health } = watchedStage();
  clock.advance(3_600_000);
  t.same(health.stalled(), []);
});

void test('a stage with work that does not move is stalled after its deadline, and alive again when it moves', async (t) => {
  const { clock, health, stage } = watchedStage(10_000);
  clock.advance(60_000);
  stage.hasWork = true;
  clock.advance(10_000);
  t.same(health.stalled(), [], 'it has had work for its deadline and no longer');
  clock.advance(1001);
  t.match(health.stalled(), [{ stage: 'exporter', reason: /has not moved for 11 s, more than the 10 s/ }]);
  stage.progress += 1;
  t.same(health.stalled(), []);
});

void test('a stage that always has work and moves within its deadline is alive', async (t) => {
  const { clock, health, stage } = watchedStage(10_000);
  stage.hasWork = true;
  for (let round = 0; round < 20; round++) {
    clock.advance(9000);
    t.same(health.stalled(), []);
    stage.progress += 1;
  }
});

void test('work that arrives after a long pause does not count as stalled at the next question', async (t) => {
  const { clock, health, stage } = watchedStage(500);
  clock.advance(600_000);
  stage.hasWork = true;
  t.same(health.stalled(), []);
});

void test('readiness names each stage that is not ready and why', async (t) => {
  const health = new Health(new VirtualClock());
  health.register('pipe', () => ({ ready: true, reason: '' }));
  health.register('logx', () => ({ ready: false, reason: 'log-a: no connection' }));
  t.same(health.notReady(), [{ stage: 'logx', reason: 'log-a: no connection' }]);
  health.unregister('logx');
  t.same(health.notReady(), []);
});

void test('a stopped health leaves no timer behind', async (t) => {
  const { clock, health } = watchedStage();
  clock.advance(2500);
  health.start();
  t.equal(clock.pendingTimers, 1, 'starting twice is starting once');
  health.stop();
  health.stop();
  t.equal(clock.pendingTimers, 0);
});
