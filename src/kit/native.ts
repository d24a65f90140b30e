/** The few calls to the C library that Node has no function for. Linux. */
import koffi from 'koffi';

/** fcntl(2): sets the capacity of a pipe. From <fcntl.h>: F_LINUX_SPECIFIC_BASE (1024) + 7. */
const F_SETPIPE_SZ = 1031;

type Mkfifo = (path: string, mode: number) => number;
type Fcntl = (fd: number, command: number, value: number) => number;

interface Library {
  readonly mkfifo: Mkfifo;
  readonly fcntl: Fcntl;
}

let loaded: Library | undefined;

function library(): Library {
  if (loaded === undefined) {
    const libc = koffi.load(null); // the C library that this process runs on
    loaded = {
      mkfifo: libc.func('int mkfifo(const char *path, uint32_t mode)'),
      fcntl: libc.func('int fcntl(int fd, int command, int value)'),
    };
  }
  return loaded;
}

/** Creates a named pipe; `mode` is subject to the process's umask. Throws an error with `code` (`EEXIST`, `ENOENT`, `EACCES`). */
export function makeFifo(path: string, mode: number): void {
  if (library().mkfifo(path, mode) !== 0) throw systemError('mkfifo', path);
}

/** Asks for a pipe capacity in bytes; returns the capacity granted, or -1 where it was refused (a limit for ordinary users). */
export function setPipeCapacity(fd: number, bytes: number): number {
  return library().fcntl(fd, F_SETPIPE_SZ, bytes);
}

function systemError(call: string, path: string): Error {
  const errno = koffi.errno();
  const code = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
  return Object.assign(new Error(`${call} ${path}: ${code}`), { code });
}
