import { join } from 'node:path';
import { test } from 'tap';
import { lockDirectory } from './lock.ts';

void test('a directory is held by one demo at a time', async (t) => {
  const directory = t.testdir({ other: {} });
  const lock = await lockDirectory(directory);
  await t.rejects(lockDirectory(`${directory}/other/..`), { code: 'path_conflict', hint: /Ctrl-C/ });
  const other = await lockDirectory(join(directory, 'other'));
  for (const held of [lock, other]) await new Promise((resolve) => held.close(resolve));
  const again = await lockDirectory(directory);
  await new Promise((resolve) => again.close(resolve));
});
