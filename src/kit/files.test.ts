import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { temporaryDirectory } from '../../test/helpers/temporary_directory.ts';
import { isLocked, nodeFiles } from './files.ts';

const FILES_URL = new URL('files.ts', import.meta.url).href;

void test('pieces are written one behind the other, however many there are', async (t) => {
  const path = join(temporaryDirectory(t), 'a');
  const file = await nodeFiles.open(path, 'create');
  const pieces = Array.from({ length: 3000 }, (_, at) => Buffer.from(`${at}, `));
  await file.write(pieces, 0);
  const all = Buffer.concat(pieces);
  await file.write([Buffer.from('the '), Buffer.alloc(0), Buffer.from('end')], all.length);
  await file.sync();
  t.equal(readFileSync(path, 'utf8'), `${all.toString()}the end`);
  t.equal(await file.size(), all.length + 7);
  const end = Buffer.alloc(20);
  t.equal(await file.read(end, all.length + 4), 3, 'less than asked for at the end only');
  t.equal(end.toString('utf8', 0, 3), 'end');
  await file.truncate(2);
  t.equal(readFileSync(path, 'utf8'), '0,');
  await file.close();
});

void test('where the system takes a part, the rest is tried too, which tells why', async (t) => {
  const full = await nodeFiles.open('/dev/full', 'update');
  t.teardown(() => full.close());
  await t.rejects(full.write([Buffer.from('a')], 0), { code: 'ENOSPC' });

  const directory = temporaryDirectory(t);
  const script = join(directory, 'writer.ts');
  writeFileSync(
    script,
    `import { nodeFiles } from ${JSON.stringify(FILES_URL)};
     const file = await nodeFiles.open(${JSON.stringify(join(directory, 'a'))}, 'create');
     const pieces = Array.from({ length: 5 }, (_, at) => Buffer.alloc(1000, String(at)));
     console.log(await file.write(pieces, 0).then(() => 'done', (error) => error.code));`,
  );
  // In blocks of 1024 bytes, which bash takes as the unit.
  // Without the test runner's environment, which would have it write longer files.
  const child = spawn('bash', ['-c', 'ulimit -f 2 && exec env -i "$0" "$1"', process.execPath, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said]: unknown[] = await once(child.stdout, 'data');
  t.equal(String(said), 'EFBIG\n');
  t.equal(readFileSync(join(directory, 'a'), 'utf8'), '0'.repeat(1000) + '1'.repeat(1000) + '2'.repeat(48));
});

void test('modes of opening say what has to be there', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'a');
  await t.rejects(nodeFiles.open(path, 'read'), { code: 'ENOENT' });
  await t.rejects(nodeFiles.open(path, 'update'), { code: 'ENOENT' });
  await (await nodeFiles.open(path, 'create')).close();
  await t.rejects(nodeFiles.open(path, 'create'), { code: 'EEXIST' });
  const file = await nodeFiles.open(path, 'read');
  await t.rejects(file.write([Buffer.from('a')], 0), { code: 'EBADF' });
  await file.close();
});

void test('files and directories are closed to others', async (t) => {
  const directory = temporaryDirectory(t);
  await nodeFiles.makeDirectory(join(directory, 'x/y'));
  await nodeFiles.makeDirectory(join(directory, 'x/y'));
  await (await nodeFiles.open(join(directory, 'x/a'), 'create')).close();
  t.equal(statSync(join(directory, 'x')).mode & 0o007, 0);
  t.equal(statSync(join(directory, 'x/a')).mode & 0o007, 0);
  await nodeFiles.rename(join(directory, 'x/a'), join(directory, 'x/b'));
  await nodeFiles.syncDirectory(join(directory, 'x'));
  t.same((await nodeFiles.list(join(directory, 'x'))).sort(), ['b', 'y']);
  t.equal((await nodeFiles.stat(join(directory, 'x/b'))).bytes, 0);
  await nodeFiles.remove(join(directory, 'x/b'));
  await t.rejects(nodeFiles.stat(join(directory, 'x/b')), { code: 'ENOENT' });
});

void test('a lock is had once, and is free when it is released', async (t) => {
  const path = join(temporaryDirectory(t), 'lock');
  const lock = await nodeFiles.lock(path);
  t.ok(lock);
  t.equal(await nodeFiles.lock(path), undefined);
  t.equal(await isLocked(path), true);
  await lock?.release();
  t.equal(await isLocked(path), false);
  t.equal(await isLocked(`${path} that is not there`), false);
  const again = await nodeFiles.lock(path);
  t.ok(again);
  await again?.release();
});

void test('a lock ends with its process, also one that was killed, and no child of it keeps it', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'lock');
  const script = join(directory, 'holder.ts');
  writeFileSync(
    script,
    `import { spawn } from 'node:child_process';
     import { nodeFiles } from ${JSON.stringify(FILES_URL)};
     globalThis.lock = await nodeFiles.lock(${JSON.stringify(path)});
     const child = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
     console.log(globalThis.lock === undefined ? 'refused' : child.pid);
     setInterval(() => {}, 1000);`,
  );
  const holder = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said]: unknown[] = await once(holder.stdout, 'data');
  const child = Number(String(said));
  t.teardown(() => process.kill(child));
  t.ok(child > 0);
  t.equal(await nodeFiles.lock(path), undefined);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const lock = await nodeFiles.lock(path);
  t.ok(lock);
  await lock?.release();
});
