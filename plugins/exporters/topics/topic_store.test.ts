import { spawnSync } from 'node:child_process';
import * as fsPromises from 'node:fs/promises';
import { type FileHandle, mkdtemp, readFile, rename, rm, rmdir, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Test, test } from 'tap';
import { TopicStore, type TopicStoreOptions } from './topic_store.ts';
import type { FileSystem } from './topic_file.ts';

function write(...lines: readonly string[]) {
  const ranges = lines.map((line) => Buffer.from(`${line}\n`));
  return { ranges, bytes: Buffer.concat(ranges).length };
}

async function openStore(directory: string, options: Partial<TopicStoreOptions> = {}) {
  const torn: { path: string; bytes: number }[] = [];
  const syncs: number[] = [];
  const store = new TopicStore({
    directory,
    sync: true,
    maxOpenFiles: 8,
    fs: fsPromises,
    onTornLine: (path, bytes) => torn.push({ path, bytes }),
    onSync: (ms) => syncs.push(ms),
    now: () => 0,
    ...options,
  });
  await store.open();
  return { store, torn, syncs };
}

/** The real file system, with the handles of opened files changed by `change`. */
function withHandles(change: (handle: FileHandle, path: string) => void): FileSystem {
  return {
    ...fsPromises,
    async open(path, flags, mode) {
      const handle = await fsPromises.open(path, flags, mode);
      change(handle, String(path));
      return handle;
    },
  };
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as the test wants it`), { code });
}

/** A small file system of the test's own; undefined where it cannot be had. */
async function mountTmpfs(t: Test, size: string): Promise<string | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-topics-'));
  const mounted =
    process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]).status === 0;
  t.teardown(async () => {
    if (mounted) spawnSync('umount', ['-l', path]);
    await rmdir(path);
  });
  return mounted ? path : undefined;
}

void test('each topic is a file of lines, and what comes later is appended', async (t) => {
  const directory = join(t.testdir(), 'var', 'topics');
  const { store, syncs } = await openStore(directory);
  const group = { app: write('one'), journal: write('two') };
  await store.append(new Map(Object.entries(group)));
  await store.append(new Map([['app', write('three')]]));
  t.equal(await readFile(join(directory, 'app.ndjson'), 'utf8'), 'one\nthree\n');
  t.equal(await readFile(join(directory, 'journal.ndjson'), 'utf8'), 'two\n');
  t.equal(syncs.length, 3, 'one sync for each file of a group');
  await store.close();
});

void test('a restart appends', async (t) => {
  const directory = t.testdir();
  for (const line of ['one', 'two']) {
    const { store, torn } = await openStore(directory);
    await store.append(new Map([['app', write(line)]]));
    await store.close();
    t.same(torn, []);
  }
  t.equal(await readFile(join(directory, 'app.ndjson'), 'utf8'), 'one\ntwo\n');
});

void test('a torn last line is cut when the store is opened, and reported', async (t) => {
  const directory = t.testdir({ 'app.ndjson': 'one\ntw', 'whole.ndjson': 'one\n', 'other.txt': 'not ours' });
  const { store, torn } = await openStore(directory);
  t.same(torn, [{ path: join(directory, 'app.ndjson'), bytes: 2 }]);
  t.equal(await readFile(join(directory, 'app.ndjson'), 'utf8'), 'one\n');
  t.equal(await readFile(join(directory, 'other.txt'), 'utf8'), 'not ours');
  t.same([...store.topics].sort(), ['app', 'whole']);
});

void test('no more files than allowed are open, and a closed one is opened again', async (t) => {
  const directory = t.testdir();
  const { store } = await openStore(directory, { maxOpenFiles: 2 });
  for (const topic of ['a', 'b', 'c', 'a', 'c']) {
    await store.append(new Map([[topic, write(topic)]]));
    t.ok(store.openFiles <= 2);
  }
  t.same(await Promise.all(['a', 'b', 'c'].map((topic) => readFile(join(directory, `${topic}.ndjson`), 'utf8'))), [
    'a\na\n',
    'b\n',
    'c\nc\n',
  ]);
  await store.close();
  t.equal(store.openFiles, 0);
});

void test('the file that is closed for another is the one that was not used for longest', async (t) => {
  const opened: string[] = [];
  const fs = withHandles((_handle, path) => opened.push(basename(path, '.ndjson')));
  const { store } = await openStore(t.testdir(), { fs, sync: false, maxOpenFiles: 2 });
  for (const topic of ['a', 'b', 'a', 'c', 'a', 'b']) await store.append(new Map([[topic, write(topic)]]));
  t.same(opened, ['a', 'b', 'c', 'b']);
  await store.close();
});

void test('a file that somebody renamed, deleted, replaced or emptied is written anew, not lost', async (t) => {
  const directory = t.testdir();
  const { store } = await openStore(directory);
  const path = join(directory, 'app.ndjson');
  const append = async (line: string) => {
    await store.append(new Map([['app', write(line)]]));
    return readFile(path, 'utf8');
  };
  await append('one');
  await rename(path, join(directory, 'app.ndjson.1'));
  t.equal(await append('two'), 'two\n');
  await rm(path);
  t.equal(await append('three'), 'three\n');
  await rename(path, join(directory, 'app.ndjson.2'));
  await writeFile(path, 'theirs\n');
  t.equal(await append('more'), 'theirs\nmore\n');
  await truncate(path);
  t.equal(await append('four'), 'four\n');
  await rm(directory, { recursive: true });
  t.equal(await append('five'), 'five\n');
  await store.close();
});

void test('a group of which one topic fails leaves nothing behind in any', async (t) => {
  const directory = t.testdir({ 'bad.ndjson': 'before\n' });
  let isBroken = true;
  const fs = withHandles((handle, path) => {
    if (!path.endsWith('bad.ndjson')) return;
    const datasync = handle.datasync.bind(handle);
    handle.datasync = async () => {
      if (isBroken) throw systemError('EIO');
      await datasync();
    };
  });
  const { store } = await openStore(directory, { fs });
  const group = new Map(Object.entries({ good: write('one'), bad: write('two') }));
  await t.rejects(store.append(group), { code: 'EIO' });
  t.equal(await readFile(join(directory, 'good.ndjson'), 'utf8'), '');
  t.equal(await readFile(join(directory, 'bad.ndjson'), 'utf8'), 'before\n');
  t.equal(store.openFiles, 0, 'a handle kept open would keep the file system from being repaired');
  isBroken = false;
  await store.append(group);
  t.equal(await readFile(join(directory, 'good.ndjson'), 'utf8'), 'one\n');
  t.equal(await readFile(join(directory, 'bad.ndjson'), 'utf8'), 'before\ntwo\n');
  await store.close();
});

void test('a short write is taken back and reported as what it probably is', async (t) => {
  const directory = t.testdir();
  let isFull = true;
  const fs = withHandles((handle) => {
    const writev = handle.writev.bind(handle);
    handle.writev = async (buffers, position) => {
      const firstBytes = buffers.map((buffer) => new Uint8Array(buffer.buffer, buffer.byteOffset, 2));
      const { bytesWritten } = await writev(isFull ? firstBytes : buffers, position);
      return { bytesWritten, buffers };
    };
  });
  const { store } = await openStore(directory, { fs });
  await t.rejects(store.append(new Map([['app', write('one', 'two')]])), {
    code: 'store_unavailable',
    transient: true,
    message: /only 4 of 8 bytes/,
  });
  t.equal(await readFile(join(directory, 'app.ndjson'), 'utf8'), '');
  isFull = false;
  await store.append(new Map([['app', write('one', 'two')]]));
  t.equal(await readFile(join(directory, 'app.ndjson'), 'utf8'), 'one\ntwo\n');
  await store.close();
});

void test('a half line that could not be taken back is cut before the next write', async (t) => {
  const directory = t.testdir();
  let isBroken = true;
  const fs = withHandles((handle) => {
    const { writev, truncate: cut } = { writev: handle.writev.bind(handle), truncate: handle.truncate.bind(handle) };
    handle.writev = async (buffers, position) => {
      if (!isBroken) return writev(buffers, position);
      await handle.appendFile('{"half');
      throw systemError('EIO');
    };
    handle.truncate = async (length) => {
      if (isBroken) throw systemError('EIO');
      await cut(length);
    };
  });
  const { store, torn } = await openStore(directory, { fs });
  await t.rejects(store.append(new Map([['app', write('one')]])), { code: 'EIO' });
  t.equal(await readFile(join(directory, 'app.ndjson'), 'utf8'), '{"half');
  isBroken = false;
  await store.append(new Map([['app', write('one')]]));
  t.equal(await readFile(join(directory, 'app.ndjson'), 'utf8'), 'one\n');
  t.same(torn, [{ path: join(directory, 'app.ndjson'), bytes: 6 }]);
  await store.close();
});

void test('a full file system fails the write, keeps whole lines only and takes writes again when there is room', async (t) => {
  const directory = await mountTmpfs(t, '64k');
  if (directory === undefined) return t.comment('skipped: mounting a small file system needs root');
  const { store } = await openStore(directory);
  await store.append(new Map([['app', write('first')]]));
  const big = write(...Array.from({ length: 100 }, () => 'x'.repeat(999)));
  await t.rejects(store.append(new Map([['app', big]])), /ENOSPC|bytes could be written/);
  t.equal(await readFile(join(directory, 'app.ndjson'), 'utf8'), 'first\n');
  t.equal(spawnSync('mount', ['-o', 'remount,size=1m', directory]).status, 0);
  await store.append(new Map([['app', big]]));
  t.equal((await stat(join(directory, 'app.ndjson'))).size, 6 + 100_000);
  await store.close();
});

void test('a directory that cannot be made or used fails the start with the path and what to do', async (t) => {
  const base = t.testdir({ file: 'a file' });
  await t.rejects(openStore(join(base, 'file', 'topics')), {
    code: 'path_conflict',
    message: /file\/topics.*ENOTDIR/,
    hint: /choose another directory/,
  });
  await t.rejects(openStore(join(base, 'file')), { code: 'path_conflict', message: /EEXIST/ });
  const denied: FileSystem = {
    ...fsPromises,
    access: async () => {
      throw systemError('EACCES');
    },
  };
  await t.rejects(openStore(join(base, 'denied'), { fs: denied }), {
    code: 'permission_denied',
    hint: /right to read and write/,
  });
});

void test('a file system that is mounted read-only fails the start', async (t) => {
  const directory = await mountTmpfs(t, '64k');
  if (directory === undefined) return t.comment('skipped: mounting a file system needs root');
  t.equal(spawnSync('mount', ['-o', 'remount,ro', directory]).status, 0);
  await t.rejects(openStore(directory), { code: 'permission_denied', hint: /read-only/ });
  await t.rejects(openStore(join(directory, 'topics')), { code: 'path_missing', hint: /read-only/ });
});

void test('files and directory are closed to others than their owner and group', async (t) => {
  const directory = join(t.testdir(), 'topics');
  const { store } = await openStore(directory);
  await store.append(new Map([['app', write('one')]]));
  t.equal((await stat(directory)).mode & 0o007, 0);
  t.equal((await stat(join(directory, 'app.ndjson'))).mode & 0o007, 0);
  await store.close();
});

void test('a new file is not relied on before its name is synced too', async (t) => {
  const directory = t.testdir();
  const order: string[] = [];
  const fs = withHandles((handle, path) => {
    const sync = handle.sync.bind(handle);
    const datasync = handle.datasync.bind(handle);
    handle.sync = async () => {
      order.push(`name in ${path}`);
      await sync();
    };
    handle.datasync = async () => {
      order.push(`bytes of ${path}`);
      await datasync();
    };
  });
  const { store } = await openStore(directory, { fs });
  await store.append(new Map([['app', write('one')]]));
  await store.append(new Map([['app', write('two')]]));
  const file = `bytes of ${join(directory, 'app.ndjson')}`;
  t.same(order, [`name in ${directory}`, file, file]);
  await store.close();
});

void test('without sync nothing waits for the disk', async (t) => {
  const directory = t.testdir();
  const { store, syncs } = await openStore(directory, { sync: false });
  await store.append(new Map([['app', write('one')]]));
  t.equal(await readFile(join(directory, 'app.ndjson'), 'utf8'), 'one\n');
  t.same(syncs, []);
  await store.close();
});
