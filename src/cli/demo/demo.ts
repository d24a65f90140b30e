/**
 * The demo from its start to its end. Receivers start first and end last, so that the agent always has somewhere to deliver to:
 *
 *     lock ─▶ configurations ─▶ log-a, log-b ─▶ agent ─▶ numbers, once a second ─▶ agent ends ─▶ log-a, log-b end
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from '../../kit/options.ts';
import type { Cli } from '../cli.ts';
import { type Earlier, type Figures, scrape, settledBefore, withoutEarlier } from './figures.ts';
import { Fleet } from './fleet.ts';
import { intro, shorten } from './intro.ts';
import { LAUNCHER } from './member.ts';
import { readMemory, writeMemory } from './memory.ts';
import { AGENT, DemoPaths, type MemberName } from './paths.ts';
import { prepareDemo, type Prepared } from './prepare.ts';
import { Screen } from './screen.ts';
import { otherThan, statusLine } from './status_line.ts';
import { ledgerLine, requireNothingLost, totalsIn } from './summary.ts';

const UPDATE_INTERVAL_MS = 1000;

/** Runs the demo in a directory (absolute) until the process is told to stop. Throws a SluiceError where it cannot, or lost records. */
export async function runDemo(directory: string, cli: Cli): Promise<void> {
  const stop = cli.stopSignal({ hangUp: true });
  const paths = new DemoPaths(directory);
  const screen = new Screen(cli.stdout);
  const prepared = await prepareDemo(paths, cli);
  const { pipe } = prepared;
  const fleet = new Fleet(paths, prepared.configs, {
    onStarted: (pids) => remember(paths, pids),
    onEnded: (name, how) => screen.say(describeEnd(name, how, fleet, paths)),
  });
  cli.endSignal().addEventListener('abort', () => {
    fleet.kill();
    pipe.remove();
  });
  let killed: readonly MemberName[] = [];
  try {
    await fleet.start();
    screen.say(introduce(paths, prepared, fleet));
    await showNumbers(addressOf(prepared), screen, stop);
    screen.say('Ending: the agent delivers what it holds, or puts it on disk after a while, then the receivers end.');
  } finally {
    pipe.remove();
    killed = await fleet.stop();
    pipe.remove(); // once more: the agent puts a pipe back that it finds gone
    pipe.release();
    remember(paths, []);
    prepared.lock.close();
  }
  for (const name of killed) screen.say(`${name} did not end in time and was killed.`);
  const totals = totalsIn(fleet.agentLog());
  if (totals !== undefined) screen.say(ledgerLine(totals));
  requireNothingLost(totals, paths.log(AGENT));
}

/** Shows the agent's numbers of this run once a second until `stop` aborts. */
async function showNumbers(telemetry: Address, screen: Screen, stop: AbortSignal): Promise<void> {
  let earlier: Earlier | undefined;
  let previous: Figures | undefined;
  let previousMs = performance.now();
  while (!stop.aborted) {
    const scraped = await scrape(telemetry, UPDATE_INTERVAL_MS);
    const nowMs = performance.now();
    if (scraped !== undefined) {
      earlier ??= settledBefore(scraped);
      const figures = withoutEarlier(scraped, earlier);
      screen.update(statusLine(figures, previous, nowMs - previousMs));
      previous = figures;
      previousMs = nowMs;
    }
    await delay(UPDATE_INTERVAL_MS, undefined, { signal: stop }).catch(() => {}); // which rejects when it is aborted
  }
}

function introduce(paths: DemoPaths, prepared: Prepared, fleet: Fleet): string {
  const text = intro({
    ...prepared,
    paths,
    pids: { [AGENT]: fleet.pid(AGENT), 'log-a': fleet.pid('log-a'), 'log-b': fleet.pid('log-b') },
    telemetry: addressOf(prepared),
    workingDirectory: process.cwd(),
  });
  return [...prepared.notes, text].join('\n');
}

function describeEnd(name: MemberName, how: string, fleet: Fleet, paths: DemoPaths): string {
  if (name === AGENT) {
    return `The agent has ended (${how}): nothing is read any more. Its last words are in ${shown(paths.log(AGENT))}.`;
  }
  const other = otherThan(name);
  const effect = fleet.isRunning(other)
    ? `its records go by way of ${other}, marked`
    : `and ${other} is gone too: records wait in the agent's memory`;
  return `${name} has ended (${how}): ${effect}.\nTo bring it back: ${shown(LAUNCHER)} run --config ${shown(paths.config(name))}`;
}

function shown(path: string): string {
  return shorten(path, process.cwd());
}

function addressOf({ configs }: Prepared): Address {
  const config = configs.get(AGENT);
  if (config === undefined) throw new TypeError('the agent has no configuration');
  return config.telemetry.address;
}

function remember(paths: DemoPaths, pids: readonly number[]): void {
  writeMemory(paths.memory, { ...readMemory(paths.memory), pids: [...pids] });
}
