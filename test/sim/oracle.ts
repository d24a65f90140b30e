/**
 * Judges a schedule: by what was written, what the stores have, and what the ledgers say. A record that is at its destination, directly or
 * as a marked copy, is delivered; the rest must be among the dead letters, excused by a crash, or counted as dropped.
 */
import { DropCount } from './drop_count.ts';
import { Findings, nameOf } from './findings.ts';
import type { Receiver } from './faults.ts';
import type { Incarnation } from './incarnation.ts';
import { judgeLedger } from './ledger_judge.ts';
import { disorder } from './order.ts';
import type { Ending, SimulatedProcess } from './process.ts';
import type { Program } from './program.ts';
import { RECEIVER_ID } from './programs.ts';
import type { Written } from './records.ts';
import type { Scenario } from './scenario.ts';
import type { Source } from './source.ts';

export interface Evidence {
  readonly scenario: Scenario;
  readonly sources: readonly Source[];
  readonly receivers: readonly Receiver[];
  readonly agent: SimulatedProcess;
  /** Hears of each violation when it is found. */
  readonly violated: (what: string) => void;
}

/** What a sound disk may take for a commit, and the one before it. */
const COMMIT_MS = 500;

export class Oracle {
  readonly violations: string[] = [];
  readonly #evidence: Evidence;
  readonly #drops = new Map<string, DropCount>();
  /** Accounts that were found unbalanced. */
  readonly #unbalanced = new Set<string>();
  #agentStarts = 0;
  /** The agent that ended last, as it was then. */
  #lastAgent: Program | undefined;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  violated(what: string): void {
    this.violations.push(what);
    this.#evidence.violated(what);
  }

  /** What the processes hold, for a message. */
  held(): string {
    const processes = this.#processes.map(({ name, running }) => {
      const { inFlight, spooled } = running?.telemetry.ledger.snapshot().total ?? { inFlight: NaN, spooled: NaN };
      return `${name} has ${inFlight} in flight and ${spooled} spooled`;
    });
    const unread = this.#evidence.sources.map(
      ({ options, written, taken }) => `${options.name} ${written.length - taken} unread`,
    );
    return [...processes, ...unread].join(', ');
  }

  /** Ledgers balance whenever they are looked at. */
  look(): void {
    for (const { name, opened } of this.#processes) {
      for (const [receiver, entry] of opened?.telemetry.ledger.snapshot().receivers ?? []) {
        const { accepted, delivered, deadLettered, dropped, inFlight, spooled, unaccounted } = entry;
        const isBalanced = unaccounted === 0 && Math.min(inFlight, spooled) >= 0;
        const account = `${name}/${receiver}`;
        if (isBalanced || this.#unbalanced.has(account)) continue;
        this.#unbalanced.add(account); // the rest follows from that
        const parts = JSON.stringify({ accepted, delivered, deadLettered, dropped, inFlight, spooled });
        this.violated(`${name}: ${unaccounted} records of ${receiver} are unaccounted for: ${parts}`);
      }
    }
  }

  /** A process begins to start. */
  starting(process: SimulatedProcess): void {
    this.#dropsOf(process).starting(process);
    if (process === this.#evidence.agent) this.#agentStarts += 1;
  }

  /** A process has taken up what it left when it ended before. */
  opened(process: SimulatedProcess, program: Program): void {
    this.#dropsOf(process).opened(program);
  }

  /** A process has ended. */
  ended(process: SimulatedProcess, incarnation: Incarnation, program: Program, ending: Ending): void {
    this.#dropsOf(process).ended(program);
    if (process !== this.#evidence.agent) return;
    this.#lastAgent = program;
    for (const { written, options } of this.#evidence.sources) {
      for (const record of written) {
        if (record.holder !== incarnation) continue;
        record.holder = undefined;
        if (ending === 'stop') this.violated(`${nameOf(record)} was never settled by an agent that stopped in good order`);
        else if (!options.isReplayable) {
          record.isExcused = true;
          this.#judgeDelay(record, incarnation);
        }
      }
    }
  }

  /** What is excused by a crash must have been young, where everything is to be on disk soon. */
  #judgeDelay(record: Written, { clock }: Incarnation): void {
    const { scenario, agent } = this.#evidence;
    const { durability, commitIntervalMs, isRoomy, maxDiskBytes } = scenario.spool;
    if (durability !== 'always' || maxDiskBytes === undefined || !isRoomy || agent.hasBeenDisturbed) return;
    const ageMs = clock.monotonicMs() - record.heldSinceMs;
    if (ageMs > commitIntervalMs + COMMIT_MS)
      this.violated(`${nameOf(record)} was not on disk ${Math.round(ageMs)} ms after it came`);
  }

  /** To be called when everything has stopped. */
  judge(): void {
    const { sources, scenario, agent, receivers } = this.#evidence;
    const destinations = scenario.receivers.slice(0, scenario.mode === 'failover' ? 1 : undefined);
    const findings = new Findings(destinations, sources);
    findings.addStores(receivers.map(({ process: { name }, store }) => ({ name, store })));
    findings.addLetters(agent.disk.contents, undefined);
    for (const { process } of receivers) findings.addLetters(process.disk.contents, process.name);
    for (const what of findings.violations) this.violated(what);
    for (const arrivals of findings.arrivals.values()) {
      for (const what of disorder(arrivals.values(), (written) => this.#mayBeDropped(written))) this.violated(what);
    }
    this.#judgeSources(findings);
    const left = [...agent.disk.contents.keys()].filter((path) => path.endsWith('.segment'));
    if (left.length > 0) this.violated(`the agent has stopped with nothing to deliver and left ${left.join(', ')}`);
  }

  get #processes(): readonly SimulatedProcess[] {
    return [this.#evidence.agent, ...this.#evidence.receivers.map(({ process }) => process)];
  }

  #dropsOf({ name }: SimulatedProcess): DropCount {
    const known = this.#drops.get(name) ?? new DropCount();
    this.#drops.set(name, known);
    return known;
  }

  /**
   * Whether the agent may have given a record up, since its spool was full or since the record was damaged on disk. What is on disk by then
   * it does not tell one by one.
   */
  #mayBeDropped({ source, dropped, isSafe }: Written): boolean {
    const { sources, agent } = this.#evidence;
    const reasons = this.#dropsOf(agent).byReason(source);
    const isOldest = sources.some(({ options }) => options.name === source && options.onFull === 'drop_oldest');
    return dropped !== undefined || (isSafe && (reasons.has('damaged') || (isOldest && reasons.has('spool_full'))));
  }

  #judgeSources(findings: Findings): void {
    const { sources, receivers, agent } = this.#evidence;
    const drops = this.#dropsOf(agent);
    let unstorable = 0;
    let spare = receivers.reduce((sum, { process }) => sum + this.#dropsOf(process).of(RECEIVER_ID, false), 0);
    for (const { options, written } of sources) {
      const { name } = options;
      const all = written.filter((record) => !findings.isEverywhere(record));
      // What a store refused, its receiver may have been unable to keep; the agent cannot know.
      const [atReceivers, missing] = partition(all, ({ trouble, isSafe }) => trouble === 'unstorable' && isSafe);
      const unexcused = missing.filter(({ isExcused }) => !isExcused);
      unstorable += atReceivers.length;
      spare += Math.max(0, drops.of(name, false) - unexcused.length);
      this.#judgeDropped(options, unexcused);
      const entry = this.#lastAgent?.telemetry.ledger.snapshot().receivers.get(name);
      const ledgerCase = { name, written, missing, findings, entry, recovered: drops.recovered(name), starts: this.#agentStarts };
      for (const what of judgeLedger(ledgerCase)) this.violated(what);
    }
    if (unstorable > spare) this.violated(`${unstorable} records that a store refused are missing, and ${spare} are counted`);
  }

  #judgeDropped({ name, isReplayable, onFull }: Source['options'], missing: readonly Written[]): void {
    const { agent, scenario } = this.#evidence;
    const drops = this.#dropsOf(agent);
    const reasons = JSON.stringify(Object.fromEntries(drops.byReason(name)));
    // Where a bit has flipped in what says how many records there are, a restart cannot tell what is gone with them.
    const uncountable = agent.flips * scenario.maxRecords;
    if (missing.length > drops.of(name, uncountable > 0) + uncountable) {
      const names = missing.slice(0, 8).map((record) => `${nameOf(record)} (${stateOf(record)})`);
      this.violated(`${missing.length} records of ${name} are missing, dropped are ${reasons}: ${names.join(', ')}`);
    }
    if ((isReplayable || onFull === 'block') && drops.byReason(name).has('spool_full')) {
      this.violated(`records of ${name} were dropped though it can be made to wait: ${reasons}`);
    }
  }
}

function partition<T>(all: readonly T[], isFirst: (each: T) => boolean): [T[], T[]] {
  return [all.filter((each) => isFirst(each)), all.filter((each) => !isFirst(each))];
}

function stateOf({ dropped, isSafe, emitted }: Written): string {
  if (emitted === 0) return 'never read';
  return dropped ?? (isSafe ? 'acked' : 'not acked');
}
