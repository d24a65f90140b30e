/** Runs many schedules on several threads. */
import { Worker } from 'node:worker_threads';
import type { Verdict } from './simulation.ts';

export interface Seeds {
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
}

/** A schedule takes some ten milliseconds; one that takes so long runs in a circle between two moments of virtual time. */
const HANGS_AFTER_MS = 60_000;

/** After so many schedules that broke a promise the rest is left out: what is wrong is wrong everywhere. */
export const MAX_BROKEN = 20;

/** Resolves when every seed has its verdict, or enough were bad; each is told as it comes, in no order. */
export async function runSeeds({ from, seeds, workers }: Seeds, onVerdict: (verdict: Verdict) => void): Promise<void> {
  let next = from;
  let broken = 0;
  const take = (): number | undefined => (next < from + seeds && broken < MAX_BROKEN ? next++ : undefined);
  const onEach = (verdict: Verdict): void => {
    if (verdict.violations.length > 0) broken += 1;
    onVerdict(verdict);
  };
  await Promise.all(Array.from({ length: Math.min(workers, seeds) }, () => runThread(take, onEach)));
}

/** Runs one seed after the other in a thread, and in a new one where that hangs. */
async function runThread(take: () => number | undefined, onVerdict: (verdict: Verdict) => void): Promise<void> {
  let worker = new Worker(new URL('worker.ts', import.meta.url));
  for (let seed = take(); seed !== undefined; seed = take()) {
    const verdict = await verdictOf(worker, seed);
    onVerdict(verdict ?? { seed, violations: ['it hangs: virtual time stands still'], records: 0, simulatedMs: 0 });
    if (verdict !== undefined) continue;
    await worker.terminate();
    worker = new Worker(new URL('worker.ts', import.meta.url));
  }
  await worker.terminate();
}

/** Undefined where there is none in time. */
function verdictOf(worker: Worker, seed: number): Promise<Verdict | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(() => resolve(undefined)), HANGS_AFTER_MS);
    const onMessage = (verdict: Verdict): void => finish(() => resolve(verdict));
    const onError = (error: Error): void => finish(() => reject(error));
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onError);
      settle();
    };
    worker.on('message', onMessage).on('error', onError);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is not a window
    worker.postMessage(seed);
  });
}
