import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../testdata/temporary.ts';

/** A file whose content is replaced thousands of times, in place: file systems flush one that is emptied before it is written. */
export class RewritableFile {
  readonly #fd: number;
  readonly path: string;

  constructor(t: { teardown(run: () => void): unknown }, name = 'a.journal') {
    this.path = join(temporaryDirectory(t), name);
    const fd = openSync(this.path, 'w');
    t.teardown(() => closeSync(fd));
    this.#fd = fd;
  }

  write(bytes: Buffer): void {
    writeSync(this.#fd, bytes, 0, bytes.length, 0);
    ftruncateSync(this.#fd, bytes.length);
  }
}
