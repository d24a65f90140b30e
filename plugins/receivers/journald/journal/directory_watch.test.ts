import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { DirectoryWatch } from './directory_watch.ts';

function setUp(t: { teardown(run: () => void): unknown }) {
  const path = join(temporaryDirectory(t), 'journal');
  mkdirSync(path);
  let changes = 0;
  const watch = new DirectoryWatch(() => (changes += 1));
  t.teardown(() => watch.close());
  const follow = (): void => watch.follow([{ path, identity: String(statSync(path).ino) }]);
  /** Resolves when a change was told of that comes now. */
  const isTold = async (change: () => void): Promise<void> => {
    const before = changes;
    change();
    await waitFor(() => changes > before, { what: 'a change to be told of' });
  };
  return { path, watch, follow, isTold };
}

void test('files that come, change and go are told of', async (t) => {
  const { path, follow, isTold } = setUp(t);
  follow();
  follow();
  await isTold(() => writeFileSync(join(path, 'a.journal'), ''));
  await isTold(() => writeFileSync(join(path, 'a.journal'), 'more'));
  await isTold(() => rmSync(join(path, 'a.journal')));
});

void test('a directory that takes the place of another is watched in its stead', async (t) => {
  const { path, follow, isTold } = setUp(t);
  follow();
  renameSync(path, `${path}.old`);
  mkdirSync(path);
  follow();
  await isTold(() => writeFileSync(join(path, 'a.journal'), ''));
});

void test('a directory that is not there is not watched, and in nobody’s way', async (t) => {
  const { watch, path, follow, isTold } = setUp(t);
  watch.follow([{ path: `${path}/none`, identity: '0' }]);
  follow();
  await isTold(() => writeFileSync(join(path, 'a.journal'), ''));
});
