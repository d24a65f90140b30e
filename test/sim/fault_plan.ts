/** When things go wrong in a schedule. Every fault ends by itself; what outlasts the time of faults is healed at its end. */
import { FAULT_KINDS, type FaultKind, type Victims } from './faults.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

export interface FaultPlan {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly victims: Victims;
  readonly trace: Trace;
  /** Faults begin before it has passed. */
  readonly durationMs: number;
}

const MAX_KINDS = 6;
const MAX_FAULTS = 14;

/** The time before the first fault. */
const CALM_MS = 500;

/** About how long faults last; each is up to twice as long. */
const LASTING_MS = [200, 1500, 6000] as const;

/** Each kind as often as it weighs. */
const WEIGHTED: readonly FaultKind[] = FAULT_KINDS.flatMap((kind) => Array.from({ length: kind.weight ?? 1 }, () => kind));

/** Plans the faults of a schedule, of a few kinds, so that some schedules dwell on a kind. The function returned heals all. */
export function planFaults({ timeline, random, victims, trace, durationMs }: FaultPlan): () => void {
  const kinds = Array.from({ length: random.integer(1, MAX_KINDS) }, () => random.pick(WEIGHTED));
  const heal = new Set<() => void>();
  const begin = (kind: FaultKind): void => {
    const endsInMs = random.pick(LASTING_MS) * random.between(0.1, 2);
    trace.note(`fault: ${kind.name}, for ${(endsInMs / 1000).toFixed(1)} s where it lasts`);
    const begun = kind.begin(victims, random);
    const end = (): void => {
      if (heal.delete(end)) begun();
    };
    heal.add(end);
    timeline.after(endsInMs, end);
  };
  for (let faults = random.integer(1, MAX_FAULTS); faults > 0; faults--) {
    const kind = random.pick(kinds);
    if (kind !== undefined) timeline.after(random.between(CALM_MS, durationMs), () => begin(kind));
  }
  return () => {
    for (const end of heal) end();
  };
}
