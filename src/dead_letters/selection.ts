/** Which letters a command is about. */
import type { Letter } from './reading.ts';

/** What is left out does not matter; what is given must hold, each of it. */
export interface Selection {
  /** One of these; likewise below. */
  readonly reasons?: readonly string[];
  readonly destinations?: readonly string[];
  readonly receivers?: readonly string[];
  readonly ids?: readonly string[];
  /** Became a letter then or later, in microseconds. */
  readonly sinceMicros?: number;
  /** Became a letter before that. */
  readonly untilMicros?: number;
}

export function isSelected({ head, id, timeMicros }: Letter, selection: Selection): boolean {
  const { reasons, destinations, receivers, ids, sinceMicros, untilMicros } = selection;
  return (
    (reasons?.includes(head.reason) ?? true) &&
    (destinations?.includes(head.destination) ?? true) &&
    (receivers?.includes(head.receiver) ?? true) &&
    (ids?.includes(id) ?? true) &&
    (sinceMicros === undefined || timeMicros >= sinceMicros) &&
    (untilMicros === undefined || timeMicros < untilMicros)
  );
}

/** Whether it is about all letters, and so also about lines that are none. */
export function isEverything(selection: Selection): boolean {
  return Object.values(selection).every((condition) => condition === undefined);
}
