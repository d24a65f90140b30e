import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { temporaryDirectory } from '../../../test/helpers/temporary_directory.ts';
import { asOrdinaryUser } from '../../../test/helpers/users.ts';
import { options } from './index.ts';
import { listenAt, MAX_SOCKET_PATH_BYTES, removeSocket } from './socket_path.ts';

function newServer(t: Test): Server {
  const server = createServer((socket) => socket.destroy());
  t.teardown(() => server.close());
  return server;
}

/** A socket file that nobody listens on, as a crash leaves it. */
async function leaveBehind(t: Test, path: string): Promise<void> {
  const server = newServer(t).listen(`${path}.crashed`);
  await once(server, 'listening');
  renameSync(`${path}.crashed`, path);
  server.close();
}

async function connects(path: string): Promise<boolean> {
  const client = connect(path);
  try {
    await once(client, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    client.destroy();
  }
}

void test('a socket has its mode, whatever the umask, and nothing is left beside it', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'log.sock');
  const umask = process.umask(0o077);
  t.teardown(() => process.umask(umask));
  await listenAt(newServer(t), path, 0o662);
  t.equal(statSync(path).mode & 0o777, 0o662);
  t.same(readdirSync(directory), ['log.sock']);
  t.equal(await connects(path), true);
});

void test('the longest path that the options let through can be listened on', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'x'.repeat(MAX_SOCKET_PATH_BYTES - directory.length - 1));
  t.equal(options.safeParse({ path }).success, true);
  t.equal(options.safeParse({ path: `${path}x` }).success, false);
  await listenAt(newServer(t), path, 0o666);
  t.equal(await connects(path), true);
});

void test('a socket that a living process listens on is left to it', async (t) => {
  const path = join(temporaryDirectory(t), 'log.sock');
  await listenAt(newServer(t), path, 0o666);
  await t.rejects(listenAt(newServer(t), path, 0o666), {
    code: 'address_in_use',
    message: `another process listens on the socket ${path}`,
    hint: /ss -xlp/,
  });
  t.equal(await connects(path), true);
});

void test('a socket that was left behind by a crash is taken over, also one that was only just made', async (t) => {
  const path = join(temporaryDirectory(t), 'log.sock');
  await leaveBehind(t, path);
  await leaveBehind(t, `${path}~`);
  t.equal(await connects(path), false);
  await listenAt(newServer(t), path, 0o666);
  t.equal(await connects(path), true);
});

void test('what is not a socket is left alone, and the error says what it is and what to do', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'file'), 'precious');
  mkdirSync(join(directory, 'directory'));
  symlinkSync('file', join(directory, 'link'));
  for (const [name, what] of [
    ['file', 'a regular file'],
    ['directory', 'a directory'],
    ['link', 'a symbolic link'],
  ] as const) {
    const path = join(directory, name);
    await t.rejects(listenAt(newServer(t), path, 0o666), {
      code: 'path_conflict',
      message: `the path of the socket, ${path}, is ${what}`,
      hint: /^move it away/,
    });
  }
});

void test('a missing directory is told from one that may not be used', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'file'), '');
  for (const name of ['missing/log.sock', 'file/log.sock']) {
    const path = join(directory, name);
    await t.rejects(listenAt(newServer(t), path, 0o666), {
      code: 'path_missing',
      message: `the directory of the socket ${path} does not exist`,
      hint: /mkdir -p/,
    });
  }
  chmodSync(directory, 0o555);
  const path = join(directory, 'log.sock');
  await t.rejects(
    asOrdinaryUser(() => listenAt(newServer(t), path, 0o666)),
    { code: 'permission_denied', message: `the socket ${path} cannot be listened on (EACCES)` },
  );
});

void test('a socket is removed only where it is the same', async (t) => {
  const path = join(temporaryDirectory(t), 'log.sock');
  const first = await listenAt(newServer(t), path, 0o666);
  renameSync(path, `${path}.first`); // which keeps its inode from being used again
  const second = await listenAt(newServer(t), path, 0o666);
  removeSocket(path, first);
  t.equal(existsSync(path), true);
  removeSocket(path, second);
  t.equal(existsSync(path), false);
  removeSocket(path, second);
});
