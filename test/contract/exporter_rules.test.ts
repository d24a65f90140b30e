import { openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'tap';
import { z } from 'zod';
import {
  defineExporter,
  type Delivery,
  type Exporter,
  type ExporterContext,
  READY,
  type Readiness,
} from '../../src/core/component.ts';
import { makeBatch, readBatch } from '../helpers/batches.ts';
import type { ExporterContract } from './contract.ts';
import { exporterRules } from './exporter_rules.ts';
import { ruleNamed } from './rule.ts';
import { directories } from './plugins.ts';

const RETRY_MS = 2;

const EMPTY = { reason: 'refused', detail: 'empty', attempts: 1 } as const;

/** What a broken exporter does instead of what it should. */
interface Defect {
  readonly opensEarly?: boolean;
  readonly failsOnSecondStop?: boolean;
  readonly settlesFirst?: boolean;
  readonly settlesTwice?: boolean;
  readonly skips?: number;
  readonly saysReady?: boolean;
  readonly staysUnready?: boolean;
  readonly refusesOnFailure?: boolean;
  readonly refusesTwice?: boolean;
  readonly refusesWholeBatch?: boolean;
  readonly hidesRefusals?: boolean;
  readonly dropsOnStop?: boolean;
  readonly ignoresDeadline?: boolean;
  readonly settlesLate?: boolean;
}

/** A store in memory that can be made to fail, and that takes no record whose body is empty. */
class Store {
  readonly bodies: string[] = [];
  fails = false;

  /** Stores what it takes and returns how many records it refused for good. */
  add(bodies: readonly string[]): number {
    if (this.fails) throw new Error('the store fails');
    const taken = bodies.filter((body) => body !== '');
    this.bodies.push(...taken);
    return bodies.length - taken.length;
  }
}

class StoreExporter implements Exporter {
  readonly #store: Store;
  readonly #context: ExporterContext;
  readonly #defect: Defect;
  #readiness = READY;
  #deadlineMs = Infinity;
  #isStopping = false;
  #stops = 0;
  #running = Promise.resolve();

  constructor(store: Store, context: ExporterContext, defect: Defect, directory: string) {
    this.#store = store;
    this.#context = context;
    this.#defect = defect;
    if (defect.opensEarly === true) openSync(directory, 'r');
  }

  async start(): Promise<void> {
    this.#running = this.#run();
  }

  async stop(deadlineMs: number): Promise<void> {
    if (this.#stops++ > 0 && this.#defect.failsOnSecondStop === true) throw new Error('stopped twice');
    this.#isStopping = true;
    this.#deadlineMs = this.#defect.ignoresDeadline === true ? deadlineMs + 4000 : deadlineMs;
    await this.#running;
    if (this.#defect.settlesLate === true) setImmediate(() => this.#giveUp());
  }

  readiness(): Readiness {
    return this.#readiness;
  }

  async #run(): Promise<void> {
    const { cursors, clock } = this.#context;
    while (clock.monotonicMs() < this.#deadlineMs) {
      if (this.#isStopping && this.#defect.dropsOnStop === true) return;
      const [cursor] = cursors;
      const delivery = cursor?.next();
      if (delivery === undefined && this.#isStopping) return;
      if (delivery === undefined || !this.#deliver(delivery)) await delay(RETRY_MS);
    }
  }

  /** False where the store failed. */
  #deliver(delivery: Delivery): boolean {
    const [cursor] = this.#context.cursors;
    const { position, batch } = delivery;
    const { settlesFirst, settlesTwice, refusesOnFailure, refusesTwice, refusesWholeBatch, hidesRefusals } = this.#defect;
    try {
      if (settlesFirst === true) cursor?.deliveredThrough(position);
      const bodies = readBatch(batch).map(({ body }) => body);
      const refused = this.#store.add(bodies.filter((_, at) => at !== this.#defect.skips));
      const empty = bodies.flatMap((body, index) => (body === '' || refusesWholeBatch === true ? [index] : []));
      if (refused > 0 && hidesRefusals !== true) cursor?.refused(delivery, empty, EMPTY);
      if (refused > 0 && refusesTwice === true) cursor?.refused(delivery, empty, EMPTY);
      if (settlesFirst !== true) cursor?.deliveredThrough(position);
      if (settlesTwice === true) cursor?.deliveredThrough(position);
      if (this.#defect.staysUnready !== true) this.#readiness = READY;
      return true;
    } catch (error) {
      if (refusesOnFailure === true) cursor?.refused(delivery, [0], EMPTY);
      if (this.#defect.saysReady !== true) this.#readiness = { ready: false, reason: String(error) };
      cursor?.rewind();
      return false;
    }
  }

  /** Settles everything without having delivered it. */
  #giveUp(): void {
    for (const cursor of this.#context.cursors) {
      for (let delivery = cursor.next(); delivery !== undefined; delivery = cursor.next())
        cursor.deliveredThrough(delivery.position);
    }
  }
}

const optionsSchema = z.strictObject({ directory: z.string() });

function subjectOf(defect: Defect) {
  let store = new Store();
  const contract: ExporterContract = {
    async open(directory) {
      store = new Store();
      const opened = store;
      return {
        options: { directory },
        stored: async () => opened.bodies,
        async fail() {
          opened.fails = true;
          return async () => void (opened.fails = false);
        },
        refusable: () => ({ batch: makeBatch(['taken', '']), refused: 1 }),
        close: async () => {},
      };
    },
  };
  const definition = defineExporter<unknown>({
    summary: 'For a test.',
    options: optionsSchema,
    create: (options, context) => new StoreExporter(store, context, defect, optionsSchema.parse(options).directory),
  });
  return { definition, contract, deadlineMs: 300 };
}

const defects: readonly (readonly [what: string, defect: Defect, rule: string, message: RegExp])[] = [
  ['opens something when it is created', { opensEarly: true }, 'is created without', /create changed the outside/],
  ['cannot be stopped twice', { failsOnSecondStop: true }, 'may be stopped', /stopped twice/],
  ['settles before it reads the records', { settlesFirst: true }, 'stores every record', /bodies stored by/],
  ['settles twice', { settlesTwice: true }, 'stores every record', /settled before/],
  ['skips a record', { skips: 3 }, 'stores every record', /bodies stored by under.test: number 3/],
  [
    'says that it is ready though its destination fails',
    { saysReady: true },
    'keeps what a failing',
    /to say that its destination fails/,
  ],
  ['is not ready again when its destination is', { staysUnready: true }, 'keeps what a failing', /to be ready again/],
  [
    'refuses what could be tried again',
    { refusesOnFailure: true },
    'keeps what a failing',
    /refused though trying again could help/,
  ],
  ['counts a refusal twice', { refusesTwice: true }, 'counts what is refused', /in vain/],
  [
    'counts the records around a refused one as refused',
    { refusesWholeBatch: true },
    'counts what is refused',
    /records refused by/,
  ],
  ['does not count what is refused', { hidesRefusals: true }, 'counts what is refused', /records refused by/],
  ['leaves what waits when it stops', { dropsOnStop: true }, 'delivers what waits', /deliveries were left/],
  ['stops long after the deadline', { ignoresDeadline: true }, 'stops by the deadline', /long after the deadline/],
  [
    'settles what it did not deliver once it has stopped',
    { settlesLate: true },
    'stops by the deadline',
    /without having been stored/,
  ],
];

void test('an exporter that keeps the contract breaks no rule', async (t) => {
  const subject = { ...subjectOf({}), directory: directories(t) };
  for (const rule of exporterRules) await t.resolves(rule.check(subject), rule.title);
});

for (const [what, defect, rule, message] of defects) {
  void test(`an exporter that ${what} is found out`, async (t) => {
    const subject = { ...subjectOf(defect), directory: directories(t) };
    await t.rejects(ruleNamed(exporterRules, rule).check(subject), { message });
  });
}
