/** The few calls to the C library that Node has no function for. Linux. */
import type { Socket } from 'node:net';
import koffi from 'koffi';

/** fcntl(2): set and get the capacity of a pipe. From <fcntl.h>: F_LINUX_SPECIFIC_BASE (1024) + 7 and 8. */
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;

/** shutdown(2), from <sys/socket.h>. */
const SHUT_RD = 0;

/** flock(2), from <sys/file.h>. */
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

type Mkfifo = (path: string, mode: number) => number;
type Fcntl = (fd: number, command: number, value: number) => number;
type Shutdown = (fd: number, how: number) => number;
type Flock = (fd: number, operation: number) => number;

interface Library {
  readonly mkfifo: Mkfifo;
  readonly fcntl: Fcntl;
  readonly shutdown: Shutdown;
  readonly flock: Flock;
}

let loaded: Library | undefined;

function library(): Library {
  if (loaded === undefined) {
    const libc = koffi.load(null); // the C library that this process runs on
    loaded = {
      mkfifo: libc.func('int mkfifo(const char *path, uint32_t mode)'),
      fcntl: libc.func('int fcntl(int fd, int command, int value)'),
      shutdown: libc.func('int shutdown(int fd, int how)'),
      flock: libc.func('int flock(int fd, int operation)'),
    };
  }
  return loaded;
}

/** Creates a named pipe; `mode` is subject to the process's umask. Throws an error with `code` (`EEXIST`, `ENOENT`, `EACCES`). */
export function makeFifo(path: string, mode: number): void {
  if (library().mkfifo(path, mode) !== 0) throw systemError('mkfifo', path);
}

/**
 * Asks for a pipe capacity in bytes; returns what the pipe has then. Ordinary users get no more than /proc/sys/fs/pipe-max-size, and
 * no pipe shrinks below what it holds.
 */
export function setPipeCapacity(fd: number, bytes: number): number {
  const granted = library().fcntl(fd, F_SETPIPE_SZ, bytes);
  return granted >= 0 ? granted : library().fcntl(fd, F_GETPIPE_SZ, 0);
}

/**
 * Closes a socket for what its peer sends: writes fail there from now on (EPIPE), and what the peer has written before can still be
 * read, up to an end of file (shutdown(2), unix(7)). Does nothing where the connection has ended already.
 */
export function shutdownReading(socket: Socket): void {
  const fd = descriptorOf(socket);
  if (fd === undefined || library().shutdown(fd, SHUT_RD) === 0) return;
  const error = systemError('shutdown', `descriptor ${fd}`);
  if (error.code !== 'ENOTCONN') throw error;
}

/**
 * Locks an open file until it is closed or the process ends; false where it is locked through another opening of it. `shared`: beside
 * others of that kind. Throws an error with `code` where the file system has no locks.
 */
export function lockFile(fd: number, { shared = false }: { readonly shared?: boolean } = {}): boolean {
  if (library().flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) === 0) return true;
  const error = systemError('flock', `descriptor ${fd}`);
  if (error.code === 'EAGAIN' || error.code === 'EWOULDBLOCK') return false;
  throw error;
}

/** The descriptor of a socket, for calls that Node has no function for; undefined once it is closed. Node keeps it, undocumented. */
function descriptorOf(socket: Socket): number | undefined {
  if (socket.destroyed) return undefined;
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle === 'object' && handle !== null && 'fd' in handle && typeof handle.fd === 'number') return handle.fd;
  throw new Error('this version of Node does not tell the descriptor of a socket');
}

function systemError(call: string, path: string): Error & { readonly code: string } {
  const errno = koffi.errno();
  const code = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
  return Object.assign(new Error(`${call} ${path}: ${code}`), { code });
}
