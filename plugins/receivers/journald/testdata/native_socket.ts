/**
 * The socket on which journald takes entries field by field (https://systemd.io/JOURNAL_NATIVE_PROTOCOL). Node has no datagram sockets of
 * this family, so the C library is called. Linux.
 */
import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { type ExportField, writeExport } from './export_format.ts';

/** From <sys/socket.h> and <asm-generic/socket.h>. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const MSG_NOSIGNAL = 0x4000;

/** One datagram takes so much, as with systemd's own client; it takes root to ask for it. */
const SEND_BUFFER_BYTES = 8 * 1024 * 1024;

interface Library {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, option: number, value: Buffer, length: number): number;
  sendto(fd: number, bytes: Buffer, length: number, flags: number, address: Buffer, addressLength: number): number;
}

function load(): Library {
  const libc = koffi.load(null); // the C library that this process runs on
  return {
    socket: libc.func('int socket(int domain, int type, int protocol)'),
    setsockopt: libc.func('int setsockopt(int fd, int level, int option, void *value, uint32_t length)'),
    sendto: libc.func('int64_t sendto(int fd, void *bytes, size_t length, int flags, void *address, uint32_t addressLength)'),
  };
}

export class NativeSocket {
  readonly #library = load();
  readonly #fd: number;
  readonly #address: Buffer;

  /** `path` is that of journald's socket, which need not be there yet. */
  constructor(path: string) {
    this.#fd = this.#library.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (this.#fd < 0) throw new Error(`there is no socket to be had (errno ${koffi.errno()})`);
    const size = Buffer.alloc(4);
    size.writeInt32LE(SEND_BUFFER_BYTES);
    if (this.#library.setsockopt(this.#fd, SOL_SOCKET, SO_SNDBUFFORCE, size, size.length) !== 0) {
      throw new Error(`the socket's buffer cannot be made larger, which takes root (errno ${koffi.errno()})`);
    }
    this.#address = Buffer.concat([Buffer.of(AF_UNIX, 0), Buffer.from(path), Buffer.of(0)]);
  }

  /** Sends an entry, waiting while journald is behind; false where journald is not there, or has not taken it. */
  send(entry: readonly ExportField[]): boolean {
    const bytes = writeExport(entry);
    const length = bytes.length - 1; // without the empty line that ends an entry of the export format
    return this.#library.sendto(this.#fd, bytes, length, MSG_NOSIGNAL, this.#address, this.#address.length) === length;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
