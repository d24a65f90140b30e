import { appendFile } from 'node:fs/promises';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { z } from 'zod';
import { Ack, DELIVERED } from '../../src/core/ack.ts';
import { defineReceiver, type Receiver, type ReceiverContext } from '../../src/core/component.ts';
import { makeBatch } from '../helpers/batches.ts';
import type { ReceiverContract } from './contract.ts';
import { directories } from './plugins.ts';
import { receiverRules } from './receiver_rules.ts';
import { ruleNamed } from './rule.ts';

const POLL_MS = 1;

/** What a broken receiver does instead of what it should. */
interface Defect {
  readonly skips?: number;
  readonly repeats?: number;
  readonly ignoresRoom?: boolean;
  readonly forgetsTail?: boolean;
  readonly settles?: boolean;
  readonly keepsReading?: boolean;
  readonly savesBeforeAck?: boolean;
  readonly neverSaves?: boolean;
  readonly opensEarly?: boolean;
  readonly failsOnSecondStop?: boolean;
  readonly waitsWithStop?: boolean;
  readonly locks?: boolean;
  readonly otherId?: boolean;
}

/** Follows a file of lines and remembers the line behind the last acked one. */
class FileReceiver implements Receiver {
  readonly #path: string;
  readonly #context: ReceiverContext;
  readonly #defect: Defect;
  readonly #cursorPath: string;
  #timer: { cancel(): void } | undefined;
  #isStopped = false;
  #line = 0;

  constructor(path: string, context: ReceiverContext, defect: Defect) {
    this.#path = path;
    this.#context = context;
    this.#defect = defect;
    this.#cursorPath = join(context.stateDirectory, 'cursor');
    if (defect.opensEarly === true) openSync(context.stateDirectory, 'r');
  }

  async start(): Promise<void> {
    if (this.#defect.locks === true) writeFileSync(join(this.#context.stateDirectory, 'lock'), '', { flag: 'wx' });
    if (existsSync(this.#cursorPath)) this.#line = Number(readFileSync(this.#cursorPath, 'utf8'));
    this.#poll();
  }

  async stop(): Promise<void> {
    if (this.#isStopped && this.#defect.failsOnSecondStop === true) throw new Error('stopped twice');
    if (this.#defect.waitsWithStop === true) await this.#context.whenRoom();
    const wasReading = this.#timer !== undefined;
    this.#isStopped = true;
    if (this.#defect.keepsReading === true) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const tail = this.#read().at(-1) ?? '';
    if (wasReading && tail !== '' && this.#defect.forgetsTail !== true) this.#emit([tail], this.#line);
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
  }

  #poll(): void {
    const isEnd = this.#isStopped && this.#defect.keepsReading !== true;
    if (isEnd) return;
    this.#timer = this.#context.clock.after(POLL_MS, () => this.#poll());
    if (this.#context.whenRoom() !== undefined && this.#defect.ignoresRoom !== true) return;
    const complete = this.#read().slice(0, -1);
    if (complete.length === 0) {
      // One that goes on after stop has to be seen to, or nobody could find it out.
      if (this.#isStopped) this.#emit(['late'], this.#line);
      return;
    }
    this.#line += complete.length;
    const { skips = -1, repeats = -1 } = this.#defect;
    const wanted = complete.filter((_, at) => at !== skips);
    this.#emit(repeats < 0 ? wanted : [...wanted, wanted[repeats] ?? ''], this.#line);
  }

  #read(): string[] {
    return readFileSync(this.#path, 'utf8').split('\n').slice(this.#line);
  }

  #emit(bodies: readonly string[], lineBehind: number): void {
    const { savesBeforeAck = false, neverSaves = false, settles = false, otherId = false } = this.#defect;
    const save = (): void => {
      if (!neverSaves) writeFileSync(this.#cursorPath, String(lineBehind));
    };
    const ack = new Ack(({ kind }) => {
      if (kind === 'delivered' && !savesBeforeAck) save();
    });
    const batch = makeBatch(bodies, { receiver: otherId ? 'other' : this.#context.id, ack });
    this.#context.emit(batch);
    if (savesBeforeAck) save();
    if (settles) batch.settle(DELIVERED);
  }
}

const contract: ReceiverContract = {
  async open(directory) {
    const path = join(directory, 'lines');
    writeFileSync(path, '');
    return {
      options: { path },
      write: (bodies) => appendFile(path, bodies.map((body) => `${body}\n`).join('')),
      writeUnfinished: (body, beginning) => appendFile(path, `${body}\n${beginning}`),
      close: async () => {},
    };
  },
};

function subjectOf(defect: Defect) {
  const definition = defineReceiver<unknown>({
    summary: 'For a test.',
    replayable: true,
    options: z.strictObject({ path: z.string() }),
    create: (options, context) => new FileReceiver(z.object({ path: z.string() }).parse(options).path, context, defect),
  });
  return { definition, contract, deadlineMs: 300 };
}

const defects: readonly (readonly [what: string, defect: Defect, rule: string, message: RegExp])[] = [
  ['opens something when it is created', { opensEarly: true }, 'is created without', /create changed the outside/],
  ['cannot be stopped twice', { failsOnSecondStop: true }, 'may be stopped', /stopped twice/],
  ['skips a record', { skips: 3 }, 'emits every record', /waited 300 ms in vain for 300 records/],
  ['emits a record twice', { repeats: 3 }, 'emits every record', /bodies of the records: number/],
  ['emits under another id', { otherId: true }, 'emits every record', /the receiver of a batch/],
  ['settles its own batches', { settles: true }, 'settles no ack', /a batch was settled by the receiver/],
  ['does not wait for room', { ignoresRoom: true }, 'emits nothing while there is no room', /emitted though there was no room/],
  [
    'cannot be stopped while there is no room',
    { waitsWithStop: true },
    'stops while it waits',
    /in vain for the receiver to stop/,
  ],
  [
    'forgets an unfinished record',
    { forgetsTail: true },
    'emits a record that is unfinished',
    /number 1 is undefined instead of "the beginning/,
  ],
  ['goes on after stop', { keepsReading: true }, 'emits nothing after it has stopped', /emitted after stop/],
  ['does not let go of what it claims', { locks: true }, 'can be started anew', /EEXIST/],
  ['moves its cursor before the ack', { savesBeforeAck: true }, 'is offered again', /in vain for 50 records/],
  ['never moves its cursor', { neverSaves: true }, 'is offered again', /after the restart: number 0 is "delivered/],
];

void test('a receiver that keeps the contract breaks no rule', async (t) => {
  const subject = { ...subjectOf({}), directory: directories(t) };
  for (const rule of receiverRules) await t.resolves(rule.check(subject), rule.title);
});

for (const [what, defect, rule, message] of defects) {
  void test(`a receiver that ${what} is found out`, async (t) => {
    const subject = { ...subjectOf(defect), directory: directories(t) };
    await t.rejects(ruleNamed(receiverRules, rule).check(subject), { message });
  });
}
