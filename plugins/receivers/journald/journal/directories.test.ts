import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { test } from 'tap';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { type DirectoryScope, JournalDirectories } from './directories.ts';

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

const MACHINE = '0123456789abcdef'.repeat(2);
const CONTAINER = 'fedcba9876543210'.repeat(2);

/** A root with these empty files in it. */
function rootWith(t: { teardown(run: () => void): unknown }, ...paths: readonly string[]): string {
  const root = temporaryDirectory(t);
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
  return root;
}

function found(root: string, scope: DirectoryScope = {}): string[] {
  return new JournalDirectories([root], scope).list().map(({ path }) => relative(root, path));
}

void test('a namespace is read where it is asked for, alone, with the default one, or with all', async (t) => {
  const [main, web, db] = [`${MACHINE}/a.journal`, `${MACHINE}.web/b.journal`, `${MACHINE}.db/c.journal`];
  const root = rootWith(t, main, web, db, `${MACHINE}x/d.journal`);
  t.same(found(root), [main]);
  t.same(found(root, { namespace: 'web' }), [web]);
  t.same(found(root, { namespace: '+web' }).toSorted(), [web, main]);
  t.same(found(root, { namespace: '*' }).toSorted(), [db, web, main]);
  t.same(found(root, { namespace: 'other' }), []);
});

void test('files of users are found unless they are not wanted', async (t) => {
  const system = ['system.journal', 'system@5e-1-1.journal', 'remote-user-1.journal', 'user-name.journal'];
  const users = ['user-1000.journal', 'user-1000@5e-1-1.journal', 'user-65534@1-2.journal~'];
  const root = rootWith(t, ...[...system, ...users].map((name) => `${MACHINE}/${name}`));
  const names = (includeUsers: boolean): string[] =>
    found(root, { includeUsers })
      .map((path) => basename(path))
      .toSorted();
  t.same(names(true), [...system, ...users].toSorted());
  t.same(names(false), system.toSorted());
});

void test('a container’s directory is found through the link that leads to it, and once', async (t) => {
  const elsewhere = rootWith(t, `${CONTAINER}/system.journal`);
  const root = rootWith(t, `${MACHINE}/system.journal`);
  symlinkSync(join(elsewhere, CONTAINER), join(root, CONTAINER));
  symlinkSync(join(root, 'gone'), join(root, 'ab'.repeat(16)));
  const directories = new JournalDirectories([root, elsewhere]);
  const paths = directories.list().map(({ path, place }) => `${place.writer} ${path}`);
  t.same(
    paths.toSorted(),
    [`${MACHINE} ${root}/${MACHINE}/system.journal`, `${CONTAINER} ${root}/${CONTAINER}/system.journal`].toSorted(),
  );
  directories.list();
  t.equal(directories.hasChanged(), false);
});

void test('files of the two roots that one journald writes are known to be its', async (t) => {
  const [persistent, runtime] = [rootWith(t, `${MACHINE}/system.journal`), rootWith(t, `${MACHINE}/system.journal`)];
  const directories = new JournalDirectories([persistent, runtime], { runtimeRoot: runtime });
  t.match(directories.list(), [
    { place: { writer: MACHINE, isRuntime: false } },
    { place: { writer: MACHINE, isRuntime: true } },
  ]);
});

void test('what is removed is told from what cannot be seen', async (t) => {
  const root = join(rootWith(t, `journal/${MACHINE}/system.journal`), 'journal');
  const directories = new JournalDirectories([root]);
  const places = directories.list().map(({ place }) => place);
  const isRemoved = (): boolean => {
    directories.list();
    return places.every((place) => directories.isRemovedFrom(place));
  };
  rmSync(join(root, MACHINE, 'system.journal'));
  t.equal(isRemoved(), true, 'from a directory that is there');
  renameSync(root, `${root}.away`);
  t.equal(isRemoved(), false, 'nothing is there');
  mkdirSync(join(root, MACHINE), { recursive: true });
  t.equal(isRemoved(), false, 'something else is there');
  rmSync(root, { recursive: true });
  renameSync(`${root}.away`, root);
  t.equal(isRemoved(), true);
  rmSync(join(root, MACHINE), { recursive: true });
  t.equal(isRemoved(), true, 'with its directory');
});
