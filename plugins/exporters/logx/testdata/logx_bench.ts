/** A logx exporter with its receivers on a network in one process, in virtual time. */
import { makeBatch, type RecordSpec } from '../../../../test/helpers/batches.ts';
import { FakeExporterContext } from '../../../../test/helpers/contexts.ts';
import { VirtualClock } from '../../../../test/helpers/virtual_clock.ts';
import { LogxExporter } from '../exporter.ts';
import definition, { options as schema } from '../index.ts';
import { FakeNetwork, type HostState } from './fake_network.ts';
import { FakeReceiver, type FakeScript, markOf, messageOf } from './fake_receiver.ts';

const STEP_MS = 50;

export interface LogxBenchOptions {
  /** Names of the destinations, in order; default `log-a` and `log-b`. */
  readonly names?: readonly string[];
  /** Names of the receivers that share a destination, by its name; default one, with the same name. */
  readonly receivers?: Readonly<Record<string, readonly string[]>>;
  /** What receivers do other than by default, by name. */
  readonly scripts?: Readonly<Record<string, Partial<FakeScript>>>;
  /** Options of the exporter, besides its destinations. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Options of each destination, besides its endpoint. */
  readonly destination?: Readonly<Record<string, unknown>>;
  readonly random?: () => number;
  /** Which boot the agent says that it belongs to; default none. */
  readonly boot?: string;
}

export class LogxBench {
  readonly clock = new VirtualClock();
  readonly network = new FakeNetwork();
  readonly receivers = new Map<string, FakeReceiver>();
  readonly context: FakeExporterContext;
  readonly exporter: LogxExporter;
  /** Messages of what was pushed, in order. */
  readonly pushed: string[] = [];
  /** Bodies of each batch, by its position. */
  readonly #bodies: (readonly string[])[] = [];
  readonly #addresses = new Map<string, string>();
  /** The destination of each receiver. */
  readonly #destinations = new Map<string, string>();

  constructor({
    names = ['log-a', 'log-b'],
    receivers = {},
    scripts = {},
    options = {},
    destination = {},
    random = () => 0.5,
    boot,
  }: LogxBenchOptions = {}) {
    const destinations: Record<string, unknown> = {};
    for (const name of names) {
      const endpoints = (receivers[name] ?? [name]).map((each) => `tcp://${this.#addReceiver(each, name, scripts[each])}`);
      destinations[name] = { endpoints, ...destination };
    }
    const checked = schema.parse({ destinations, ...options });
    this.context = new FakeExporterContext({
      clock: this.clock,
      destinations: definition.destinations?.(checked, 'logx') ?? [],
    });
    this.exporter = new LogxExporter(checked, this.context, { dial: this.network.dial, random, readBoot: () => boot });
  }

  receiver(name: string): FakeReceiver {
    const receiver = this.receivers.get(name);
    if (receiver === undefined) throw new Error(`there is no receiver ${name}`);
    return receiver;
  }

  set(name: string, state: HostState): void {
    this.network.set(this.#addresses.get(name) ?? '', state);
  }

  #addReceiver(name: string, destination: string, script: Partial<FakeScript> | undefined): string {
    const receiver = new FakeReceiver(script);
    const address = `127.0.0.1:${6514 + this.receivers.size}`;
    this.receivers.set(name, receiver);
    this.network.add(address, receiver);
    this.#addresses.set(name, address);
    this.#destinations.set(name, destination);
    return address;
  }

  /** Pushes a batch of `count` records with new messages; returns these. */
  push(count = 1, more: Partial<RecordSpec> = {}): string[] {
    const first = this.pushed.length;
    const messages = Array.from({ length: count }, (_, index) => `record ${first + index}`);
    this.pushed.push(...messages);
    this.pushBodies(messages, more);
    return messages;
  }

  pushBodies(bodies: readonly string[], more: Partial<RecordSpec> = {}): void {
    const records = bodies.map((body, index) => ({ ...more, body, sequence: this.pushed.length + index }));
    this.#bodies.push(bodies);
    this.context.spool.push(makeBatch(records, { epoch: 'e', format: 'log' }));
  }

  run(ms: number): Promise<void> {
    return this.clock.run(ms);
  }

  /** Lets time pass until the condition holds, and returns how long that was; throws where it takes longer than `limitMs`. */
  async until(condition: () => boolean, limitMs: number): Promise<number> {
    const startMs = this.clock.monotonicMs();
    await this.clock.settle();
    while (!condition()) {
      if (this.clock.monotonicMs() - startMs > limitMs) throw new Error(`did not come within ${limitMs} ms`);
      await this.clock.run(STEP_MS);
    }
    return this.clock.monotonicMs() - startMs;
  }

  /** Messages that a receiver has stored for itself, or marked for another destination; repeats included. */
  stored(at: string, mark?: string): string[] {
    return this.receiver(at)
      .stored.filter((line) => markOf(line) === mark)
      .map(messageOf);
  }

  /** Everything stored for a destination, wherever it lies, in the order of each place. */
  storedFor(destination: string): string[] {
    return [...this.#destinations].flatMap(([name, of]) => this.stored(name, of === destination ? undefined : destination));
  }

  get isDrained(): boolean {
    return this.context.spool.isEmpty;
  }

  /** What the exporter did that the contract of a cursor forbids. */
  get violations(): string[] {
    return this.context.cursors.flatMap(({ violations }) => violations);
  }

  /** The phases that a route has entered, by the exporter's log. */
  phases(destination: string): unknown[] {
    return this.context.log.lines.flatMap(({ fields }) => (fields['destination'] === destination && 'route' in fields ? [fields['route']] : []));
  }

  counted(name: string, labels: Readonly<Record<string, string>>): number {
    return this.context.metrics.value(`sluice_logx_${name}`, labels) ?? 0;
  }

  /** Messages that have gone to the dead letters of a destination. */
  refused(destination: string): string[] {
    const cursor = this.context.cursors.find((each) => each.destination === destination);
    return cursor?.refusals.flatMap(({ position, records }) => records.map((at) => this.#bodies[position]?.[at] ?? '')) ?? [];
  }

  async stop(afterMs = 0): Promise<void> {
    const stopped = this.exporter.stop(this.clock.monotonicMs() + afterMs);
    await this.clock.run(afterMs);
    await stopped;
    await this.clock.settle();
  }
}
