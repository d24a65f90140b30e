import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyExporter } from '../../src/config/agent_config.ts';
import type { Batch } from '../../src/core/batch.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Exporter } from '../../src/core/component.ts';
import { makeBatch } from '../helpers/batches.ts';
import { FakeExporterContext } from '../helpers/contexts.ts';
import { waitFor } from '../helpers/wait_for.ts';
import type { ExporterContract, ExporterSink } from './contract.ts';
import { lookOutside } from './outside.ts';
import { sameList, withoutRepeats } from './rule.ts';

export interface ExporterSubject {
  readonly definition: AnyExporter;
  readonly contract: ExporterContract;
  /** An empty directory of its own, each time. */
  readonly directory: () => string;
  /** How long something may take that must happen, in milliseconds. Default 15 s. */
  readonly deadlineMs?: number;
}

/** Configuration id of the exporters on a bench. */
const ID = 'under/test';
const DEADLINE_MS = 15_000;
const RECORDS_PER_BATCH = 20;

/** An exporter on a sink, with the spool that it reads. */
export class Bench {
  readonly sink: ExporterSink;
  readonly directories: readonly string[];
  readonly context: FakeExporterContext;
  readonly exporter: Exporter;
  /** Bodies of what was pushed, in order, without those that are to be refused. */
  readonly pushed: string[] = [];
  readonly before: readonly string[];
  readonly deadlineMs: number;
  #pushes = 0;

  constructor(
    { definition, deadlineMs = DEADLINE_MS }: ExporterSubject,
    sink: ExporterSink,
    directories: readonly [string, string],
  ) {
    const options = definition.options.parse(sink.options);
    const destinations = definition.destinations?.(options, ID) ?? [ID];
    this.sink = sink;
    this.deadlineMs = deadlineMs;
    this.directories = directories;
    this.context = new FakeExporterContext({ id: ID, clock: systemClock, stateDirectory: directories[1], destinations });
    this.before = lookOutside(directories);
    this.exporter = sink.create?.(this.context) ?? definition.create(options, this.context);
  }

  /** Pushes batches of new records. */
  push(batches: number): void {
    for (let count = 0; count < batches; count++) {
      const bodies = Array.from({ length: RECORDS_PER_BATCH }, (_, at) => `record ${this.pushed.length + at}`);
      this.pushBatch(
        makeBatch(
          bodies.map((body, at) => ({
            body,
            service: 'contract',
            sequence: this.pushed.length + at,
            time: 1_800_000_000_000_000,
          })),
          { format: 'contract', epoch: 'contract' },
        ),
      );
      this.pushed.push(...bodies);
    }
  }

  pushBatch(batch: Batch): void {
    this.context.spool.push(batch);
    this.#pushes += 1;
  }

  settled(): Promise<void> {
    return waitFor(() => this.context.spool.isEmpty, { deadlineMs: this.deadlineMs, what: 'every delivery to be settled' });
  }

  notReady(): Promise<void> {
    return waitFor(() => !this.exporter.readiness().ready, {
      deadlineMs: this.deadlineMs,
      what: 'the exporter to say that its destination fails',
    });
  }

  /** That all was settled once and in order, and is stored, whatever was stored twice. */
  async checkComplete(): Promise<void> {
    const positions = Array.from({ length: this.#pushes }, (_, at) => at);
    for (const cursor of this.context.cursors) {
      sameList(cursor.settled, positions, `positions settled at ${cursor.destination}`);
      const stored = await this.sink.stored(cursor.destination);
      sameList(withoutRepeats(stored), this.pushed, `bodies stored by ${cursor.destination}`);
    }
  }

  checkViolations(): void {
    for (const { destination, violations } of this.context.cursors)
      sameList(violations, [], `breaches of the cursor of ${destination}`);
  }
}

/** Opens a sink, gives its bench to `check`, and closes everything whatever comes of that. */
export async function onBench(subject: ExporterSubject, check: (bench: Bench) => Promise<void>): Promise<void> {
  const root = subject.directory();
  const directories = [join(root, 'sink'), join(root, 'state')] as const;
  for (const one of directories) mkdirSync(one);
  const sink = await subject.contract.open(directories[0]);
  try {
    const bench = new Bench(subject, sink, directories);
    try {
      await check(bench);
      bench.checkViolations();
    } finally {
      await bench.exporter.stop(systemClock.monotonicMs());
    }
  } finally {
    await sink.close();
  }
}
