import { test } from 'tap';
import { SimulatedDisk } from '../../test/helpers/simulated_disk.ts';
import { readWhole, replaceFile } from './replace_file.ts';

const PATH = '/state/totals';

/** A linear congruential generator (Numerical Recipes), so that each round can be run again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** A disk with the file in its first state. */
async function diskWithFile(seed = 1): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ random: seeded(seed) });
  const files = disk.mount();
  await files.makeDirectory('/state');
  await files.syncDirectory('/');
  await replaceFile(files, PATH, Buffer.from('first'));
  return disk;
}

void test('what was replaced is there, and what is not there is undefined', async (t) => {
  const disk = await diskWithFile();
  const files = disk.mount();
  t.equal(String(await readWhole(files, PATH)), 'first');
  t.equal(await readWhole(files, '/state/other'), undefined);
});

void test('a loss of power at any call leaves one state or the next, and the next once it resolved', async (t) => {
  for (let seed = 0; seed < 300; seed++) {
    const disk = await diskWithFile(seed);
    const files = disk.mount();
    let calls = 0;
    disk.fault = () => {
      if (calls++ === seed % 12) throw new Error('the power is gone');
      return undefined;
    };
    const isReplaced = await replaceFile(files, PATH, Buffer.from('the second state')).then(
      () => true,
      () => false,
    );
    disk.fault = () => undefined;
    disk.crash();
    const found = String(await readWhole(disk.mount(), PATH));
    t.ok(found === 'the second state' || (!isReplaced && found === 'first'), `round ${seed}: ${found}`);
  }
});

void test('what a replacement that was cut off has left behind is in nobody’s way', async (t) => {
  const disk = await diskWithFile();
  const files = disk.mount();
  const leftover = await files.open(`${PATH}.new`, 'create');
  await leftover.write([Buffer.from('much longer than what comes next')], 0);
  await leftover.close();
  await replaceFile(files, PATH, Buffer.from('second'));
  t.equal(String(await readWhole(files, PATH)), 'second');
});

void test('a full disk is the system’s error, and the file as it was', async (t) => {
  const disk = await diskWithFile();
  const files = disk.mount();
  disk.failWith('ENOSPC');
  await t.rejects(replaceFile(files, PATH, Buffer.from('second')), { code: 'ENOSPC' });
  t.equal(String(await readWhole(files, PATH)), 'first');
  disk.failWith('EIO');
  await t.rejects(readWhole(files, PATH), { code: 'EIO' });
});
