/**
 * What services of a made-up machine log: messages, and lines that are split into entries, of several streams at a time. Each entry has
 * a token in its text, so that whoever delivers it can be asked for it.
 */
import { type MadeUpMachine, type Place, type Writer, WRITERS } from './made_up_machine.ts';
import type { Random } from './random.ts';

/** Those of which X is 1; the others are there to be left out. */
export const CHOSEN = { matches: { X: ['1'] } } as const;

export interface Written {
  readonly token: string;
  readonly isChosen: boolean;
  /** Whether all lines that had begun had ended with it: then nothing holds a position back that is to pass it. */
  readonly isBetweenLines: boolean;
  readonly places: readonly Place[];
}

const MAX_PART_BYTES = 20_000;
const MAX_MESSAGE_BYTES = 3000;

interface Line {
  readonly writer: Writer;
  readonly isChosen: boolean;
}

export class MadeUpMessages {
  readonly machine: MadeUpMachine;
  readonly #random: Random;
  readonly #hasLines: boolean;
  readonly #written: Written[];
  /** By stream. */
  readonly #open = new Map<string, Line>();

  /** `written` is where all that is written goes to. */
  constructor(machine: MadeUpMachine, random: Random, written: Written[]) {
    this.machine = machine;
    this.#random = random;
    this.#hasLines = !random.oneIn(4);
    this.#written = written;
  }

  write(count: number): void {
    const random = this.#random;
    for (let index = 0; index < count; index++) {
      // Most have the time of the one before.
      if (random.oneIn(3)) this.machine.wait(1);
      const writer = random.pick(WRITERS);
      if (this.#hasLines && random.oneIn(4))
        this.#writePart(`${this.machine.number}.${writer}.${random.below(2)}`, writer, random.oneIn(2));
      else this.#write({ writer, isChosen: !random.oneIn(3) }, MAX_MESSAGE_BYTES, []);
    }
    this.machine.save();
  }

  /** Ends all lines that have begun. */
  endLines(): void {
    for (const [stream, { writer }] of this.#open) this.#writePart(stream, writer, true);
    this.machine.save();
  }

  #writePart(stream: string, writer: Writer, isLast: boolean): void {
    const line = this.#open.get(stream) ?? { writer, isChosen: !this.#random.oneIn(3) };
    if (isLast) this.#open.delete(stream);
    else this.#open.set(stream, line);
    this.#write(line, MAX_PART_BYTES, [`_STREAM_ID=${stream}`, ...(isLast ? [] : ['_LINE_BREAK=line-max'])]);
  }

  #write({ writer, isChosen }: Line, maxBytes: number, fields: readonly string[]): void {
    const token = `[${this.#written.length}]`;
    const text = token + '.'.repeat(this.#random.below(maxBytes));
    const places = this.machine.write(writer, [`MESSAGE=${text}`, `X=${isChosen ? 1 : 0}`, ...fields]);
    this.#written.push({ token, isChosen, isBetweenLines: this.#open.size === 0, places });
  }
}
