/** `state.json` of a spool: how far every destination has come, and what ids and positions come next. */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { SluiceError } from '../../core/errors.ts';
import type { FileSystem } from '../../core/files.ts';
import { readWhole, replaceFile } from '../../kit/replace_file.ts';

export const STATE_NAME = 'state.json';

const VERSION = 1;

const whole = z.int().nonnegative();

const stateSchema = z.object({
  version: z.literal(VERSION),
  /** True between an orderly stop and the next start. */
  isClean: z.boolean(),
  /** Made with the directory, so that nothing is taken for being about this spool that is about another. */
  id: z.string(),
  /** No batch has been given this position yet, nor one above it. */
  nextPosition: whole,
  /** By name of the lane. */
  lanes: z.record(z.string(), z.object({ epoch: z.string(), nextSequence: whole })),
  /** By destination and lane: everything below this position is settled. */
  cursors: z.record(z.string(), z.record(z.string(), whole)),
});

export type SpoolState = Readonly<Omit<z.infer<typeof stateSchema>, 'version'>>;

/** One line: an object whose last member is the CRC-32 of what stands before it. */
const CHECKED = /^(\{.*),"crc32":"([0-9a-f]{8})"\}\n$/;

export interface StateFileOptions {
  /** Exists already. */
  readonly directory: string;
  readonly files: FileSystem;
  /** Hears where a file that cannot be understood was moved. */
  readonly damaged: (path: string) => void;
}

export class StateFile {
  readonly path: string;
  readonly #options: StateFileOptions;

  constructor(options: StateFileOptions) {
    this.#options = options;
    this.path = join(options.directory, STATE_NAME);
  }

  /**
   * What was saved last; undefined where there is nothing, or nothing that can be understood: such a file is moved aside and told.
   * Throws a `SluiceError` where a newer version of Sluice has written it, and the system's error.
   */
  async load(): Promise<SpoolState | undefined> {
    const bytes = await readWhole(this.#options.files, this.path);
    if (bytes === undefined) return undefined;
    const state = parseState(bytes.toString('utf8'), this.path);
    if (state !== undefined) return state;
    const aside = `${this.path}.damaged`;
    await this.#options.files.rename(this.path, aside);
    this.#options.damaged(aside);
    return undefined;
  }

  /** Replaces what was saved before; safe when it resolves, and where it throws (the system's error) either is there. One call at a time. */
  async save(state: SpoolState): Promise<void> {
    await replaceFile(this.#options.files, this.path, Buffer.from(formatState(state)));
  }
}

/** What a file holds; undefined where it is damaged. Throws a `SluiceError` where a newer version of Sluice has written it. */
export function parseState(text: string, path: string): SpoolState | undefined {
  const [, start, sum] = CHECKED.exec(text) ?? [];
  if (start === undefined || sum !== checksum(start)) return undefined;
  const value: unknown = JSON.parse(text);
  const version = z.object({ version: z.number() }).safeParse(value).data?.version;
  if (version !== undefined && version > VERSION) {
    throw new SluiceError('unsupported', `${path} is of version ${version}, which this program does not know`, {
      hint: 'run the version of Sluice that wrote it',
    });
  }
  return stateSchema.safeParse(value).data;
}

function formatState(state: SpoolState): string {
  const start = JSON.stringify({ version: VERSION, ...state }).slice(0, -1);
  return `${start},"crc32":"${checksum(start)}"}\n`;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
