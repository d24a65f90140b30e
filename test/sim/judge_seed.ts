import { Simulation, type Verdict } from './simulation.ts';

let running: Simulation | undefined;

/** What is thrown where nobody catches it would end the program, so it breaks a promise. */
function onThrown(thrown: unknown): void {
  running?.failed(`thrown and not caught: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
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
  } finally {
    running = undefined;
  }
}
