/**
 * The file in the state directory that holds the positions: replaced as a whole, so that it is always one state or the next, also
 * after a crash or a power cut.
 *
 * It is text, a cursor of journald's (`../file/cursor.ts`) in each line. The first line is the position that moved last, so that
 * `journalctl --cursor-file`, which reads no more than that, goes on there; and a file with one line, as journalctl writes it, can be put
 * in its place. A line is one of these:
 *
 *   s=…;i=…;b=…;m=…;t=…;x=…   in that sequence, all up to this entry is done with
 *   s=…;i=…;t=…               the same of an entry of which only its number is known; i=0 is before the first
 *   s=…;t=…                   in that sequence, all up to this time is done with
 *   t=…                       last: sequences that are not in the file begin behind this time
 *
 * Boot, both times and hash of a whole cursor tell an entry from all others also where journald has copied it from /run to /var, where
 * it is in another sequence and has another number. So nothing says which sequences are in /run.
 */
import { join } from 'node:path';
import { describeError, SluiceError } from '../../../../src/core/errors.ts';
import type { FileSystem } from '../../../../src/core/files.ts';
import { nodeFiles } from '../../../../src/kit/files.ts';
import { readWhole, replaceFile } from '../../../../src/kit/replace_file.ts';
import { Positions } from './positions.ts';

export class CursorFile {
  readonly path: string;
  readonly #files: FileSystem;

  constructor(stateDirectory: string, files: FileSystem = nodeFiles) {
    this.path = join(stateDirectory, 'cursor');
    this.#files = files;
  }

  /** The positions saved last; undefined where there are none. Throws a `SluiceError` where the file holds something else. */
  async load(): Promise<Positions | undefined> {
    try {
      const bytes = await readWhole(this.#files, this.path);
      return bytes && Positions.parse(bytes.toString('utf8'), this.path);
    } catch (error) {
      throw notReadable(this.path, error);
    }
  }

  /** Saves the positions; on the disk when it resolves. Throws the system's error; what was saved before is there then. One call at a time. */
  async save(positions: Positions): Promise<void> {
    await replaceFile(this.#files, this.path, Buffer.from(positions.toText()));
  }
}

function notReadable(path: string, error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  return new SluiceError('state_invalid', `cannot read ${path}, the position in the journal: ${describeError(error)}`, {
    hint: 'make it readable for the user that the agent runs as, or remove it to begin where start_at says',
  });
}
