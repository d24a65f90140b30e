/** Where reading begins the first time, as the operator wants it. */
import type { Sequence } from './sequence.ts';
import { Positions } from './positions.ts';

export interface StartOptions {
  /** `end`, `boot`, `beginning` or a time as ISO 8601 has it, with an offset. */
  readonly startAt: string;
  /** Microseconds. */
  readonly now: number;
  /** 32 hexadecimal digits; undefined where the system does not say. */
  readonly bootId: string | undefined;
}

/** Sequences that turn up later begin at the same point in time as those that are there. */
export function startPositions({ startAt, now, bootId }: StartOptions, sequences: readonly Sequence[]): Positions {
  switch (startAt) {
    case 'beginning':
      return new Positions(0);
    case 'end':
      return atEnd(sequences, now);
    case 'boot':
      return atBoot(sequences, bootId) ?? atEnd(sequences, now);
    default:
      // Positions are behind what they name, and the entry at that very time is to be read.
      return new Positions(microsOf(startAt) - 1);
  }
}

function atEnd(sequences: readonly Sequence[], now: number): Positions {
  const positions = new Positions(now);
  for (const { end } of sequences) positions.set(end);
  return positions;
}

/** Undefined where the journal has no entry of that boot. */
function atBoot(sequences: readonly Sequence[], bootId: string | undefined): Positions | undefined {
  if (bootId === undefined) return undefined;
  const firsts = sequences.map((sequence) => ({ sequence, first: sequence.firstOfBoot(bootId) }));
  const times = firsts.flatMap(({ first }) => (first === undefined ? [] : [first.realtime]));
  if (times.length === 0) return undefined;
  const positions = new Positions(Math.min(...times) - 1);
  for (const { sequence, first } of firsts) {
    // What is in files that cannot be read here is gone through by time.
    if (sequence.foreign === undefined)
      positions.set(first?.seqnum === undefined ? sequence.end : sequence.lastUpTo(first.seqnum - 1));
  }
  return positions;
}

const FRACTION = /\.\d{3}(\d{1,3})/;

/** Microseconds of an ISO 8601 time; a `Date` has only milliseconds. */
function microsOf(time: string): number {
  const digits = FRACTION.exec(time)?.[1] ?? '';
  return Date.parse(time) * 1000 + Number(digits.padEnd(3, '0'));
}
