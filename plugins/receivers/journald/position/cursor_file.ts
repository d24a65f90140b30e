/** The file in the state directory that holds the positions: replaced as a whole, so that it is always one state or the next. */
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../../../src/core/errors.ts';
import { Positions } from './positions.ts';

export class CursorFile {
  readonly path: string;

  constructor(stateDirectory: string) {
    this.path = join(stateDirectory, 'cursor');
  }

  /** The positions saved last; undefined where there are none. Throws a `SluiceError` where the file holds something else. */
  async load(): Promise<Positions | undefined> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    return Positions.parse(text, this.path);
  }

  /** Saves the positions; on the disk when it resolves. Throws the system's error. One call at a time. */
  async save(positions: Positions): Promise<void> {
    const temporary = `${this.path}.new`;
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(positions.toText());
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.path);
  }
}
