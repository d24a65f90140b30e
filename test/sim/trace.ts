/** What happened in a schedule and when, for a reader. */
import type { Timeline } from './timeline.ts';

export interface Trace {
  note(what: string): void;
}

export const silentTrace: Trace = { note() {} };

export function printedTrace(timeline: Timeline, print: (line: string) => void): Trace {
  return { note: (what) => print(`${(timeline.nowMs / 1000).toFixed(4).padStart(9)} s  ${what}`) };
}
