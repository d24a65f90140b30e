/** A source of records, as it outlives the agents that read it. */
import type { OnFull } from '../../src/core/component.ts';
import type { Random } from './random.ts';
import { type Trouble, textOf, type Written } from './records.ts';

export interface SourceOptions {
  /** Letters and a digit; receivers are named after it. */
  readonly name: string;
  /** Whether it keeps its records until they are acked, as a journal does, or gives each once, as a pipe does. */
  readonly isReplayable: boolean;
  /** The receiver's rule where it does not. */
  readonly onFull: OnFull;
  readonly services: readonly string[];
  readonly maxTextBytes: number;
  /** Text of this length is larger than a receiver's frames. */
  readonly largeBytes: number;
  /** How likely a record is one that somebody refuses. */
  readonly troubleProbability: number;
}

const TROUBLES: readonly [Trouble, ...Trouble[]] = ['deep', 'large', 'unstorable'];

export class Source {
  readonly options: SourceOptions;
  /** Everything that was ever written, in order. */
  readonly written: Written[] = [];
  /** How many of them were read by an agent; of a journal, by the one that reads now. */
  taken = 0;
  /** Called when there is more; set by whoever reads. */
  onWritten: () => void = () => {};
  readonly #random: Random;

  constructor(options: SourceOptions, random: Random) {
    this.options = options;
    this.#random = random;
  }

  write(records: number): void {
    const { name, services, maxTextBytes, largeBytes, troubleProbability } = this.options;
    const random = this.#random;
    for (let count = 0; count < records; count++) {
      const index = this.written.length;
      const trouble = random.chance(troubleProbability) ? random.pick(TROUBLES) : 'none';
      const bytes = trouble === 'large' ? largeBytes : random.integer(0, maxTextBytes);
      this.written.push({
        source: name,
        index,
        service: random.pick(services) ?? '',
        trouble,
        text: textOf(name, index, trouble, bytes),
        emitted: 0,
        holder: undefined,
        heldSinceMs: 0,
        emittedBy: 0,
        isSafe: false,
        dropped: undefined,
        isExcused: false,
      });
    }
    this.onWritten();
  }
}
