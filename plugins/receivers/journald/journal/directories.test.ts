import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { JournalDirectories } from './directories.ts';

void test('a directory is listed again when something in it has changed, and only then', async (t) => {
  const root = temporaryDirectory(t);
  const machine = join(root, 'ab'.repeat(16));
  mkdirSync(machine);
  const directories = new JournalDirectories([root]);
  directories.list();
  directories.list();
  t.equal(directories.hasChanged(), false);
  writeFileSync(join(machine, 'system.journal'), '');
  t.equal(directories.hasChanged(), true);
  t.match(directories.list(), [{ path: join(machine, 'system.journal') }]);
  directories.list();
  t.equal(directories.hasChanged(), false);
  rmSync(machine, { recursive: true });
  t.equal(directories.hasChanged(), true);
  t.same(directories.list(), []);
});

void test('a change within the same tick of the clock as the one before is not missed', async (t) => {
  const root = temporaryDirectory(t);
  const directories = new JournalDirectories([root]);
  utimesSync(root, 1_700_000_000, 1_700_000_000);
  directories.list();
  writeFileSync(join(root, 'a.journal'), '');
  utimesSync(root, 1_700_000_000, 1_700_000_000);
  t.equal(directories.hasChanged(), true);
  t.equal(directories.list().length, 1);
  t.equal(directories.hasChanged(), false);
});

void test('a root that is missing is no problem, and is noticed when it appears', async (t) => {
  const root = join(temporaryDirectory(t), 'journal');
  const directories = new JournalDirectories([root]);
  t.same([directories.list(), [...directories.problems], directories.hasChanged()], [[], [], false]);
  mkdirSync(root);
  t.equal(directories.hasChanged(), true);
});
