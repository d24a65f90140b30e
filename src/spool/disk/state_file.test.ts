import { test } from 'tap';
import { SimulatedDisk } from '../../../test/helpers/simulated_disk.ts';
import { type SpoolState, StateFile } from './state_file.ts';

const STATE: SpoolState = {
  isClean: false,
  id: 'a-spool',
  nextPosition: 4711,
  lanes: { drop_oldest: { epoch: '8f1d', nextSequence: 12 } },
  cursors: { 'log-a': { drop_oldest: 4700 } },
};

/** A disk with an empty `/spool`, and what the state files made on it have told. */
async function setUp(random = (): number => 0.5) {
  const disk = new SimulatedDisk({ random });
  let files = disk.mount();
  await files.makeDirectory('/spool');
  const told: string[] = [];
  return {
    disk,
    told,
    open: () => new StateFile({ directory: '/spool', files, damaged: (path) => void told.push(path) }),
    restart: () => void (files = disk.mount()),
  };
}

void test('what was saved last is loaded', async (t) => {
  const { open, disk, told } = await setUp();
  t.equal(await open().load(), undefined);
  await open().save({ ...STATE, isClean: true });
  await open().save(STATE);
  const { id, isClean, nextPosition, lanes, cursors } = (await open().load()) ?? {};
  t.same({ id, isClean, nextPosition, lanes, cursors }, STATE);
  t.same([...disk.contents.keys()], ['/spool/state.json']);
  t.same(told, []);
});

void test('a crash at any time leaves the state before or the one after', async (t) => {
  const seen = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    let state = seed * 7919 + 1;
    const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const { open, disk, restart } = await setUp(random);
    await open().save({ ...STATE, nextPosition: 1 });
    let calls = Math.floor(random() * 10);
    disk.fault = () => {
      calls -= 1;
      if (calls === 0) disk.kill(); // this call is not done any more
      return undefined;
    };
    const cursors = { ...STATE.cursors, 'a destination that has gone': { drop_oldest: 1 } };
    const saved = open().save({ ...STATE, nextPosition: 2, cursors });
    await Promise.race([saved, new Promise((resolve) => setImmediate(resolve))]);
    disk.fault = () => undefined;
    disk.crash();
    restart();
    const loaded = await open().load();
    seen.add(loaded?.nextPosition ?? NaN);
    await open().save({ ...STATE, nextPosition: 3 });
    t.equal((await open().load())?.nextPosition, 3, 'what a crash has left is in nobody’s way');
  }
  t.same(seen, new Set([1, 2]));
});

void test('a file in which a bit has flipped is moved aside and told', async (t) => {
  let at = 0;
  const random = (): number => (at = (at + 0.061803) % 1);
  for (let round = 0; round < 100; round++) {
    const { open, disk, told } = await setUp(random);
    await open().save(STATE);
    disk.corrupt();
    t.equal(await open().load(), undefined);
    t.same(told, ['/spool/state.json.damaged']);
    t.same([...disk.contents.keys()], told);
    t.equal(await open().load(), undefined);
  }
});

void test('a file of a newer version is left alone', async (t) => {
  const { open, disk } = await setUp();
  const newer: object = { ...STATE, version: 2 };
  await open().save(Object.assign({ ...STATE }, newer));
  await t.rejects(open().load(), { code: 'unsupported', message: /version 2/ });
  t.same([...disk.contents.keys()], ['/spool/state.json']);
});

void test('a disk that fails says so, and the state before stays', async (t) => {
  const { open, disk } = await setUp();
  await open().save(STATE);
  for (const code of ['ENOSPC', 'EIO', 'EROFS']) {
    disk.failWith(code);
    await t.rejects(open().save({ ...STATE, nextPosition: 1 }), { code });
    disk.failWith(undefined);
    t.equal((await open().load())?.nextPosition, 4711);
  }
});
