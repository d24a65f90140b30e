/** Watches for files with features that are newer than this reader, and tells when journalctl must take over because of them. */
import type { ReceiverContext } from '../../../../src/core/component.ts';
import { describeError, SluiceError } from '../../../../src/core/errors.ts';
import type { JournaldOptions } from '../options.ts';
import type { Positions } from '../position/positions.ts';
import { requireJournalctl, PROGRAM } from './command.ts';
import { isAhead } from './places.ts';
import { readTail, type Tail } from './tails.ts';

/** How often it is tried whether journalctl can be run now. */
const TRY_MS = 60_000;

export class ForeignFiles {
  readonly #options: JournaldOptions;
  readonly #context: ReceiverContext;
  readonly #program: string;
  /** Those that are left out because journalctl cannot be run, and when that was found out last. */
  #leftOut = '';
  #triedMs = -Infinity;

  constructor(options: JournaldOptions, context: ReceiverContext, program = PROGRAM) {
    this.#options = options;
    this.#context = context;
    this.#program = program;
  }

  /**
   * Whether one of the files at `paths`, which could not be read, has entries behind `reached` and journalctl can read them. To be
   * asked before anything is read that may be later than these entries.
   */
  async needJournalctl(paths: Iterable<string>, reached: Positions): Promise<boolean> {
    const { clock, log } = this.#context;
    const files = [...paths].filter((path) => hasUnread(path, reached));
    const key = files.join('\n');
    if (files.length === 0 || (key === this.#leftOut && clock.monotonicMs() - this.#triedMs < TRY_MS)) return false;
    this.#triedMs = clock.monotonicMs();
    try {
      const version = await requireJournalctl(this.#options, this.#program);
      const message =
        'journalctl reads the journal from now on: files have a feature that this version of the agent does not know';
      log.warn(message, { files, version, hint: 'update the agent, which reads faster' });
      return true;
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      if (key !== this.#leftOut) {
        const message = 'entries are left out: files have a feature that this version of the agent does not know';
        log.error(message, { files, journalctl: describeError(error), hint: 'update the agent' });
      }
      this.#leftOut = key;
      return false;
    }
  }
}

function hasUnread(path: string, reached: Positions): boolean {
  let tail: Tail | undefined;
  try {
    tail = readTail(path);
  } catch {
    // It may not be read, is a directory, or is gone.
    return false;
  }
  return tail?.isForeign === true && isAhead(tail, reached);
}
