import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { temporaryDirectory } from '../../test/helpers/temporary_directory.ts';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { identityAt, LOOK_INTERVAL_MS, PathKeeper } from './path_keeper.ts';

/** A keeper of nothing, whose findings the test decides. */
class Scene {
  readonly clock = new VirtualClock();
  readonly restoredAtMs: number[] = [];
  readonly failures: unknown[] = [];
  isInPlace = true;
  restore: () => void | Promise<void> = () => {
    this.isInPlace = true;
  };
  readonly keeper = new PathKeeper({
    clock: this.clock,
    isInPlace: () => this.isInPlace,
    restore: () => {
      this.restoredAtMs.push(this.clock.monotonicMs());
      return this.restore();
    },
    failed: (error) => this.failures.push(error),
  });
}

void test('what is in its place is left alone, and what is not is restored within a second', async (t) => {
  const scene = new Scene();
  scene.keeper.start();
  await scene.clock.run(10 * LOOK_INTERVAL_MS);
  t.same(scene.restoredAtMs, []);
  scene.isInPlace = false;
  await scene.clock.run(LOOK_INTERVAL_MS);
  t.same(scene.restoredAtMs, [11 * LOOK_INTERVAL_MS]);
  scene.isInPlace = false;
  await scene.clock.run(LOOK_INTERVAL_MS);
  t.same(scene.restoredAtMs, [11 * LOOK_INTERVAL_MS, 12 * LOOK_INTERVAL_MS]);
  t.same(scene.failures, []);
});

void test('what cannot be restored is told and tried for ever, less and less often', async (t) => {
  const scene = new Scene();
  scene.restore = () => {
    throw new Error('not now');
  };
  scene.isInPlace = false;
  scene.keeper.start();
  await scene.clock.run(60_000);
  const inFirstMinute = scene.restoredAtMs.length;
  t.ok(inFirstMinute > 5 && inFirstMinute < 100, `${inFirstMinute} attempts in a minute`);
  t.equal(scene.failures.length, inFirstMinute);
  t.match(scene.failures[0], { message: 'not now' });
  await scene.clock.run(3_600_000);
  const perMinute = (scene.restoredAtMs.length - inFirstMinute) / 60;
  t.ok(perMinute > 6 && perMinute < 20, `${perMinute} attempts a minute later on`);
});

void test('a restoration that takes its time is waited for before the next look, and by stop', async (t) => {
  const scene = new Scene();
  const { promise, resolve } = Promise.withResolvers<void>();
  scene.restore = () => promise;
  scene.isInPlace = false;
  scene.keeper.start();
  await scene.clock.run(10 * LOOK_INTERVAL_MS);
  t.equal(scene.restoredAtMs.length, 1);
  let isStopped = false;
  const stopped = scene.keeper.stop().then(() => (isStopped = true));
  await scene.clock.settle();
  t.equal(isStopped, false);
  resolve();
  await stopped;
  await scene.clock.run(10 * LOOK_INTERVAL_MS);
  t.equal(scene.restoredAtMs.length, 1, 'it looks no more');
  t.equal(scene.clock.pendingTimers, 0);
});

void test('a keeper may be stopped before it was started, and twice', async (t) => {
  const scene = new Scene();
  await scene.keeper.stop();
  await scene.keeper.stop();
  t.equal(scene.clock.pendingTimers, 0);
});

void test('a file keeps its identity when it is moved and shares it with no other', async (t) => {
  const path = join(temporaryDirectory(t), 'file');
  t.equal(identityAt(path), undefined);
  writeFileSync(path, '');
  const identity = identityAt(path);
  t.type(identity, 'string');
  renameSync(path, `${path}.moved`);
  t.equal(identityAt(`${path}.moved`), identity);
  writeFileSync(path, '');
  t.not(identityAt(path), identity);
  unlinkSync(path);
  t.equal(identityAt(join(path, 'below')), undefined);
});
