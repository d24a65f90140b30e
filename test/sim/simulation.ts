/**
 * One schedule: an agent with its sources and its receivers, in virtual time, all of it drawn from one seed. Faults come for a while;
 * then everything is healed, what is held drains, and the processes stop in good order. `violations` is what the oracle holds
 * against it, and must be empty.
 */
import { planFaults } from './fault_plan.ts';
import type { Receiver } from './faults.ts';
import { Network } from './network.ts';
import { Oracle } from './oracle.ts';
import { SimulatedProcess } from './process.ts';
import { Program } from './program.ts';
import { agentConfig, receiverConfig } from './programs.ts';
import { Random } from './random.ts';
import { drawScenario, type Scenario } from './scenario.ts';
import { Source } from './source.ts';
import { Store } from './store.ts';
import { Timeline } from './timeline.ts';
import { printedTrace, silentTrace, type Trace } from './trace.ts';

export interface Verdict {
  readonly seed: number;
  /** In the order in which they were found; empty where all holds. */
  readonly violations: readonly string[];
  /** Records that the sources wrote. */
  readonly records: number;
  /** Virtual time that has passed. */
  readonly simulatedMs: number;
}

/** Everything must be delivered so long after the last fault, and have stopped so long after that. */
const DRAIN_MS = 300_000;
/** What is on disk and has been delivered is removed so long after. */
const TIDY_MS = 3000;
const STOP_MS = 60_000;
const CLOSE_MS = 10_000;

/** How often the ledgers are looked at. */
const LOOK_MS = 250;

/** A schedule has failed beyond repair, or runs in circles, after so many violations. */
const MAX_VIOLATIONS = 20;

export class Simulation {
  readonly seed: number;
  readonly #random: Random;
  readonly #timeline = new Timeline();
  readonly #trace: Trace;
  readonly #scenario: Scenario;
  readonly #network: Network;
  readonly #sources: readonly Source[];
  readonly #agent: SimulatedProcess;
  readonly #receivers: readonly Receiver[];
  readonly #oracle: Oracle;
  #order = 0;

  /** `print` gets a line for everything that happens. */
  constructor(seed: number, print?: (line: string) => void) {
    this.seed = seed;
    this.#trace = print === undefined ? silentTrace : printedTrace(this.#timeline, print);
    const random = (this.#random = new Random(seed));
    const scenario = (this.#scenario = drawScenario(random.fork()));
    print?.(JSON.stringify(scenario, undefined, 2));
    const { weather, windowBytes, chopProbability } = scenario;
    this.#network = new Network({ timeline: this.#timeline, random: random.fork(), weather, windowBytes, chopProbability });
    this.#sources = scenario.sources.map((options) => new Source(options, random.fork()));
    this.#receivers = scenario.receivers.map((name) => this.#createReceiver(name));
    this.#agent = this.#createProcess('agent', (parts) =>
      agentConfig(parts, this.#sources, (name) => this.#receiver(name).process.machine),
    );
    this.#oracle = new Oracle({
      scenario,
      sources: this.#sources,
      receivers: this.#receivers,
      agent: this.#agent,
      violated: (what) => this.#trace.note(`VIOLATION: ${what}`),
    });
  }

  /** Something threw where nobody caught it. */
  failed(what: string): void {
    this.#oracle.violated(what);
  }

  /** What was found so far. */
  get violations(): readonly string[] {
    return this.#oracle.violations;
  }

  async run(): Promise<Verdict> {
    const { durationMs } = this.#scenario;
    const timeline = this.#timeline;
    const isHopeless = (): boolean => this.#oracle.violations.length >= MAX_VIOLATIONS;
    for (const process of this.#processes) process.start();
    for (const source of this.#sources) this.#write(source, this.#random.fork());
    this.#look();
    const { agent, receivers, network } = { agent: this.#agent, receivers: this.#receivers, network: this.#network };
    const heal = planFaults({
      timeline,
      random: this.#random.fork(),
      victims: { agent, receivers, network },
      trace: this.#trace,
      durationMs,
    });
    await timeline.advance(durationMs, isHopeless);
    this.#trace.note('everything is healed');
    heal();
    network.remember();
    for (const source of this.#sources) source.write(1); // something new gets through, too
    const drainUntilMs = timeline.nowMs + DRAIN_MS;
    const isDrained = await timeline.advance(drainUntilMs, () => isHopeless() || this.#isDrained);
    if (!isDrained)
      this.#oracle.violated(`not everything is delivered ${DRAIN_MS / 1000} s after the last fault: ${this.#oracle.held()}`);
    await timeline.advance(timeline.nowMs + TIDY_MS);
    await this.#stop();
    await timeline.advance(timeline.nowMs + CLOSE_MS);
    this.#oracle.judge();
    if (this.#network.connections > 0) this.failed(`${this.#network.connections} connections are left`);
    return {
      seed: this.seed,
      violations: this.#oracle.violations,
      records: this.#sources.reduce((sum, { written }) => sum + written.length, 0),
      simulatedMs: timeline.nowMs,
    };
  }

  get #processes(): readonly SimulatedProcess[] {
    return [...this.#receivers.map(({ process }) => process), this.#agent];
  }

  get #isDrained(): boolean {
    return (
      this.#processes.every(({ running }) => running?.pipeline.spool.isEmpty === true) &&
      this.#sources.every(({ written, taken }) => written.length === taken)
    );
  }

  async #stop(): Promise<void> {
    this.#trace.note('everything stops');
    const open = new Set(this.#processes.map(({ name }) => name));
    for (const process of [this.#agent, ...this.#processes.filter((process) => process !== this.#agent)]) {
      void process.stop().then((isStopped) => {
        if (!isStopped) this.#oracle.violated(`${process.name} did not stop in good order`);
        open.delete(process.name);
      });
    }
    const isStopped = await this.#timeline.advance(this.#timeline.nowMs + STOP_MS, () => open.size === 0);
    if (!isStopped) this.#oracle.violated(`${[...open].join(' and ')} did not stop within ${STOP_MS / 1000} s`);
  }

  /** A source writes in bursts. */
  #write(source: Source, random: Random): void {
    const { rate, durationMs } = this.#scenario;
    const records = random.integer(1, 20);
    source.write(records);
    const pauseMs = (records / rate) * 1000 * random.between(0.2, 1.8);
    if (this.#timeline.nowMs + pauseMs < durationMs) this.#timeline.after(pauseMs, () => this.#write(source, random));
  }

  /** Ledgers must balance at any time. */
  #look(): void {
    this.#oracle.look();
    if (this.#processes.some(({ incarnation }) => incarnation !== undefined)) this.#timeline.after(LOOK_MS, () => this.#look());
  }

  #createReceiver(name: string): Receiver {
    const store = new Store({
      random: this.#random.fork(),
      usualWriteMs: this.#scenario.maxStoreMs,
      nextOrder: () => this.#order++,
    });
    return { store, process: this.#createProcess(name, (parts) => receiverConfig(parts, store)) };
  }

  #createProcess(name: string, configOf: (parts: Parameters<typeof receiverConfig>[0]) => ReturnType<typeof receiverConfig>) {
    const [scenario, network, trace] = [this.#scenario, this.#network, this.#trace];
    const process: SimulatedProcess = new SimulatedProcess({
      name,
      timeline: this.#timeline,
      network,
      random: this.#random.fork(),
      trace,
      healthyDiskMs: scenario.maxDiskMs,
      create: (incarnation, files) => {
        const random = this.#random.fork();
        const config = configOf({ scenario, network, incarnation, files, random });
        return new Program({ config, incarnation, files, random, trace });
      },
      starting: () => this.#oracle.starting(process),
      opened: (program) => this.#oracle.opened(process, program),
      ended: (incarnation, program, ending) => {
        this.#receivers.find((receiver) => receiver.process === process)?.store.ended(incarnation);
        this.#oracle.ended(process, incarnation, program, ending);
      },
      failed: (what) => this.failed(what),
    });
    return process;
  }

  #receiver(name: string): Receiver {
    const receiver = this.#receivers.find(({ process }) => process.name === name);
    if (receiver === undefined) throw new Error(`there is no receiver ${name}`);
    return receiver;
  }
}
