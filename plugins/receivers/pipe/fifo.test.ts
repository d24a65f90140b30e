import { chmodSync, closeSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import { makeFifo } from '../../../src/kit/native.ts';
import { identityAt } from '../../../src/kit/path_keeper.ts';
import { temporaryDirectory } from '../../../test/helpers/temporary_directory.ts';
import { asOrdinaryUser } from '../../../test/helpers/users.ts';
import { openFifo } from './fifo.ts';

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function close({ readFd, writeFd }: ReturnType<typeof openFifo>): void {
  closeSync(readFd);
  closeSync(writeFd);
}

void test('a pipe that is missing is created with the mode asked for, whatever the umask', async (t) => {
  const path = join(temporaryDirectory(t), 'app.pipe');
  const umask = process.umask(0o077);
  t.teardown(() => process.umask(umask));
  const fifo = openFifo(path, 0o666);
  t.equal(statSync(path).isFIFO(), true);
  t.equal(statSync(path).mode & 0o777, 0o666);
  t.equal(writeSync(fifo.writeFd, 'x'), 1, 'it can be written to');
  close(fifo);
});

void test('a pipe that exists keeps its mode', async (t) => {
  const path = join(temporaryDirectory(t), 'app.pipe');
  makeFifo(path, 0o600);
  close(openFifo(path, 0o666));
  t.equal(statSync(path).mode & 0o777, 0o600);
});

void test('a pipe may be reached by a symbolic link', async (t) => {
  const directory = temporaryDirectory(t);
  makeFifo(join(directory, 'real.pipe'), 0o600);
  symlinkSync('real.pipe', join(directory, 'app.pipe'));
  const fifo = openFifo(join(directory, 'app.pipe'), 0o666);
  t.equal(fifo.identity, identityAt(join(directory, 'real.pipe')));
  close(fifo);
});

void test('what is not a pipe is left alone, and the error says what it is and what to do', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'file'), 'precious');
  mkdirSync(join(directory, 'directory'));
  const server = createServer().listen(join(directory, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const before = openDescriptors();
  for (const [name, what] of [
    ['file', 'a regular file'],
    ['directory', 'a directory'],
    ['socket', 'a socket'],
  ] as const) {
    const path = join(directory, name);
    t.throws(() => openFifo(path, 0o660), {
      code: 'path_conflict',
      message: `the path of the pipe, ${path}, is ${what}`,
      hint: /^move it away/,
    });
  }
  t.equal(openDescriptors(), before);
});

void test('a missing directory is told from one that may not be used', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'file'), '');
  for (const name of ['missing/app.pipe', 'file/app.pipe']) {
    const path = join(directory, name);
    t.throws(() => openFifo(path, 0o660), {
      code: 'path_missing',
      message: `the directory of the pipe ${path} does not exist`,
      hint: /mkdir -p/,
    });
  }
  const path = join(directory, 'app.pipe');
  chmodSync(directory, 0o555);
  await t.rejects(
    asOrdinaryUser(() => openFifo(path, 0o660)),
    {
      code: 'permission_denied',
      message: `the pipe ${path} cannot be created (EACCES)`,
    },
  );
  chmodSync(directory, 0o755);
});

void test('a pipe that may not be opened is named, and nothing is left open', async (t) => {
  const directory = temporaryDirectory(t);
  chmodSync(directory, 0o755);
  const path = join(directory, 'app.pipe');
  makeFifo(path, 0);
  chmodSync(path, 0o444); // to be read, but not to be kept open
  const before = openDescriptors();
  await t.rejects(
    asOrdinaryUser(() => openFifo(path, 0o660)),
    {
      code: 'permission_denied',
      message: /cannot be opened \(EACCES\)/,
    },
  );
  t.equal(openDescriptors(), before);
});

void test('a path that no file can have is an error like the others', async (t) => {
  t.throws(() => openFifo(`/tmp/${'x'.repeat(300)}`, 0o660), { code: 'path_conflict', message: /ENAMETOOLONG/ });
});
