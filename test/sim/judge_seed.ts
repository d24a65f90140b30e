import { Simulation, type Verdict } from './simulation.ts';

let running: Simulation | undefined;

/** What is thrown where nobody catches it would end the program, so it breaks a promise. */
function onThrown(thrown: unknown): void {
  if (running === undefined) throw thrown;
  running.failed(`thrown and not caught: ${textOf(thrown)}`);
}

/** Runs the schedule of a seed. One at a time in a thread; from the first call on, errors that nobody catches end in the verdict. */
export async function judgeSeed(seed: number, print?: (line: string) => void): Promise<Verdict> {
  if (process.listenerCount('uncaughtException', onThrown) === 0) {
    process.on('uncaughtException', onThrown);
    process.on('unhandledRejection', onThrown);
  }
  running = new Simulation(seed, print);
  try {
    return await running.run();
  } catch (thrown) {
    return {
      seed,
      violations: [...running.violations, `the schedule could not go on: ${textOf(thrown)}`],
      records: 0,
      simulatedMs: 0,
    };
  } finally {
    running = undefined;
  }
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
