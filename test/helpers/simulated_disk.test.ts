import { test } from 'tap';
import type { FileSystem } from '../../src/core/files.ts';
import { SimulatedDisk } from './simulated_disk.ts';
import type { Random } from './simulated_inode.ts';
import { VirtualClock } from './virtual_clock.ts';

/** A linear congruential generator (Numerical Recipes), so that each test can be run again. */
function seeded(seed: number): Random {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

async function writeFile(files: FileSystem, path: string, text: string): Promise<void> {
  const file = await files.open(path, 'create');
  await file.write([Buffer.from(text)], 0);
  await file.sync();
}

void test('what was synced, bytes and name, survives every loss of power', async (t) => {
  for (let seed = 0; seed < 50; seed++) {
    const disk = new SimulatedDisk({ random: seeded(seed) });
    const files = disk.mount();
    await files.makeDirectory('/spool');
    await writeFile(files, '/spool/a', 'safe');
    await files.syncDirectory('/spool');
    const file = await files.open('/spool/a', 'update');
    await file.write([Buffer.from(' and '), Buffer.from('unsafe')], 4);
    await file.truncate(7);
    await writeFile(files, '/spool/b', 'name not synced');
    disk.crash();
    t.match(disk.contents.get('/spool/a')?.toString(), /^safe/);
  }
});

void test('what was not synced is lost, kept or torn, at more than one byte', async (t) => {
  const left = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const disk = new SimulatedDisk({ random: seeded(seed * 7919) });
    const files = disk.mount();
    await writeFile(files, '/a', '');
    await files.syncDirectory('/');
    const file = await files.open('/a', 'update');
    await file.write([Buffer.from('abc')], 0);
    await file.write([Buffer.from('def')], 3);
    await writeFile(files, '/b', '');
    disk.crash();
    left.add(disk.contents.get('/a')?.toString() ?? 'no name');
    left.add(disk.contents.has('/b') ? 'b' : 'no b');
  }
  for (const outcome of ['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef', 'abc\0\0\0', '\0\0\0', 'b', 'no b'])
    t.ok(left.has(outcome), outcome);
});

void test('a process that is gone hears nothing any more, and its locks are free', async (t) => {
  const clock = new VirtualClock();
  const disk = new SimulatedDisk({ random: seeded(1), clock });
  disk.latencyMs = () => 10;
  const before = disk.mount();
  const locked = before.lock('/lock');
  await clock.run(10);
  t.ok(await locked);
  let settled = 0;
  const count = (): void => void (settled += 1);
  before.list('/').then(count, count);
  disk.kill();
  before.list('/').then(count, count);
  await clock.run(100);
  t.equal(settled, 0);
  const after = disk.mount();
  const again = [after.lock('/lock'), after.lock('/lock')];
  await clock.run(10);
  const [first, second] = await Promise.all(again);
  t.ok(first);
  t.equal(second, undefined, 'a lock is held once');
  await first?.release();
  const third = after.lock('/lock');
  await clock.run(10);
  t.ok(await third);
});

void test('a full disk takes what there is room for and says so; room can be made', async (t) => {
  const disk = new SimulatedDisk({ random: seeded(1), maxBytes: 10 });
  const files = disk.mount();
  const file = await files.open('/a', 'create');
  await t.rejects(file.write([Buffer.alloc(11, 1)], 0), { code: 'ENOSPC' });
  t.equal(disk.bytes, 10);
  await file.truncate(0);
  await file.write([Buffer.alloc(10, 1)], 0);
  disk.maxBytes = 20;
  await file.write([Buffer.alloc(10, 2)], 10);
  t.equal(disk.bytes, 20);
});

void test('a disk fails what the fault is about, and nothing else', async (t) => {
  const disk = new SimulatedDisk({ random: seeded(1) });
  const files = disk.mount();
  const file = await files.open('/a', 'create');
  await file.write([Buffer.from('abc')], 0);
  const into = Buffer.alloc(3);
  disk.failWith('EROFS');
  await t.rejects(file.write([into], 0), { code: 'EROFS' });
  await t.rejects(files.remove('/a'), { code: 'EROFS' });
  t.equal(await file.read(into, 0), 3);
  t.equal(into.toString(), 'abc');
  disk.failWith('EIO');
  await t.rejects(file.read(into, 0), { code: 'EIO' });
  await t.rejects(file.sync(), { code: 'EIO' });
  disk.failWith('ENOSPC');
  await t.rejects(files.open('/b', 'create'), { code: 'ENOSPC' });
  await file.truncate(1);
  disk.failWith(undefined);
  t.equal(
    disk.corrupt((path) => path === '/b'),
    undefined,
  );
  t.same(disk.corrupt(), { path: '/a', offset: 0 });
  t.not(disk.contents.get('/a')?.toString(), 'a');
});

void test('names are as a file system has them', async (t) => {
  const files = new SimulatedDisk({ random: seeded(1) }).mount();
  await t.rejects(files.open('/no/a', 'create'), { code: 'ENOENT' });
  await files.makeDirectory('/x/y');
  await writeFile(files, '/x/a', '1');
  await t.rejects(files.open('/x/a', 'create'), { code: 'EEXIST' });
  await t.rejects(files.open('/x/b', 'read'), { code: 'ENOENT' });
  await files.rename('/x/a', '/x/b');
  await files.rename('/x/b', '/x/y/b');
  t.same(await files.list('/x'), ['y']);
  t.same(await files.list('/x/y'), ['b']);
  t.equal((await files.stat('/x/y/b')).bytes, 1);
  await files.remove('/x/y/b');
  await t.rejects(files.stat('/x/y/b'), { code: 'ENOENT' });
});
