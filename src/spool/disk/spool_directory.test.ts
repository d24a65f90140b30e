import { test } from 'tap';
import { SimulatedDisk } from '../../../test/helpers/simulated_disk.ts';
import { openSpoolDirectory } from './spool_directory.ts';

void test('a spool is used by one agent at a time', async (t) => {
  const files = new SimulatedDisk({ random: () => 0.5 }).mount();
  const lock = await openSpoolDirectory('/var/lib/sluice/spool/logs', files);
  await t.rejects(openSpoolDirectory('/var/lib/sluice/spool/logs', files), {
    code: 'path_conflict',
    message: 'another agent uses the spool in /var/lib/sluice/spool/logs',
  });
  await lock.release();
  t.ok(await openSpoolDirectory('/var/lib/sluice/spool/logs', files));
});

void test('a directory that cannot be used is an error that says what to do', async (t) => {
  const disk = new SimulatedDisk({ random: () => 0.5 });
  const files = disk.mount();
  disk.failWith('EROFS');
  await t.rejects(openSpoolDirectory('/spool', files), { code: 'permission_denied', message: /\/spool.*EROFS/ });
  disk.failWith('EIO');
  await t.rejects(openSpoolDirectory('/spool', files), { code: 'store_unavailable', message: /\/spool.*EIO/ });
});
