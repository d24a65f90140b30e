/**
 * Whatever is written to journals, and whenever the agent is stopped or killed with some batches delivered and others not: each chosen
 * entry is delivered, under an id of its own, and nothing twice that was settled before. `SLUICE_RESTART_SCHEDULES` says how many
 * schedules of that are played: 40 by default.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { t as root, test } from 'tap';
import type { EmittedBatch } from '../../../test/helpers/contexts.ts';
import { SimulatedDisk } from '../../../test/helpers/simulated_disk.ts';
import { DeliveryJudge } from './testdata/delivery_judge.ts';
import { MadeUpMachine } from './testdata/made_up_machine.ts';
import { CHOSEN, MadeUpMessages, type Written } from './testdata/made_up_messages.ts';
import { Random } from './testdata/random.ts';
import { ReceiverLife, STATE } from './testdata/receiver_life.ts';
import { temporaryDirectory } from './testdata/temporary.ts';

const SCHEDULES = Number(process.env['SLUICE_RESTART_SCHEDULES'] ?? 40);
const MACHINES = 2;
const LIVES = 6;
/** Looks after which all that is there has been read and delivered. */
const MAX_LOOKS = 200;

root.setTimeout(60_000 + SCHEDULES * 3000);

class Schedule {
  readonly #random: Random;
  readonly #root: { readonly persistent: string; readonly runtime: string };
  readonly #disk: SimulatedDisk;
  readonly #written: Written[] = [];
  readonly #services: readonly MadeUpMessages[];
  readonly judge = new DeliveryJudge(this.#written);

  constructor(directory: string, seed: number) {
    const random = new Random(seed);
    this.#random = random;
    this.#root = { persistent: join(directory, 'var'), runtime: join(directory, 'run') };
    this.#disk = new SimulatedDisk({ random: () => random.below(2 ** 32) / 2 ** 32 });
    this.#services = Array.from({ length: MACHINES }, (_, number) => {
      return new MadeUpMessages(new MadeUpMachine(this.#root, number), random, this.#written);
    });
  }

  get entries(): number {
    return this.#written.length;
  }

  async play(): Promise<void> {
    await this.#disk.mount().makeDirectory(STATE);
    for (let life = 0; life < LIVES; life++) {
      this.#happen();
      await this.#live();
    }
    await this.#liveToTheEnd();
    await this.#liveWithoutAnythingNew();
  }

  /** On each machine something is written, and perhaps something else happens. */
  #happen(): void {
    const random = this.#random;
    for (const services of this.#services) {
      const { machine } = services;
      services.write(random.below(80));
      if (random.oneIn(3)) services.endLines();
      if (random.oneIn(3)) {
        // Of a line that is split over a flush a kill can cost the parts before it.
        services.endLines();
        machine.flush(random.pick([5, 50, Infinity]));
      }
      if (random.oneIn(4)) machine.rotate(random.below(4));
      if (random.oneIn(5)) machine.setClock(random.pick([-2000, -5, 5, 2000]));
      if (random.oneIn(8)) {
        services.endLines();
        machine.boot();
      }
      services.write(random.below(20));
    }
  }

  async #begin(): Promise<ReceiverLife> {
    const life = await ReceiverLife.begin(this.#root, this.#disk, { include: CHOSEN, fields: ['X'] });
    this.judge.begins(life);
    return life;
  }

  async #live(): Promise<void> {
    const random = this.#random;
    const life = await this.#begin();
    for (let step = random.below(5); step >= 0; step--) {
      if (random.oneIn(5)) life.context.fill();
      else life.context.drain();
      await life.run(random.pick([0, 50, 200, 1500]));
      this.#deliver(life, life.open);
      if (random.oneIn(3)) await life.run(1000);
      this.#look(life);
      if (step > 0) this.#happen();
    }
    if (random.oneIn(2)) await life.kill();
    else await this.#stop(life);
    this.#look(life);
  }

  /** Some batches are delivered: all, those up to one, or any. */
  #deliver(life: ReceiverLife, open: readonly EmittedBatch[]): void {
    this.judge.looksAt(life);
    const end = this.#random.oneIn(2) ? open.length : this.#random.below(open.length + 1);
    const isAny = this.#random.oneIn(2);
    for (const emitted of open.slice(0, end)) {
      if (isAny && this.#random.oneIn(2)) continue;
      this.judge.delivers(emitted);
      life.deliver(emitted);
    }
  }

  async #stop(life: ReceiverLife): Promise<void> {
    let missing = -1;
    await life.stop((open) => {
      this.#deliver(life, open);
      missing = life.context.emitted.findIndex(({ batch }) => !batch.settled);
    });
    this.judge.stops(missing < 0 ? life.context.emitted : life.context.emitted.slice(0, missing));
  }

  #look(life: ReceiverLife): void {
    this.judge.looksAt(life);
    this.judge.looksAtPositions(life.saved);
    this.judge.judgesLog(life);
  }

  async #liveToTheEnd(): Promise<void> {
    for (const services of this.#services) {
      services.endLines();
      services.machine.flush();
    }
    const life = await this.#begin();
    for (let looks = 0; looks < MAX_LOOKS && !(this.judge.isComplete && life.open.length === 0); looks++) {
      await life.run(100);
      this.judge.looksAt(life);
      for (const emitted of life.open) {
        this.judge.delivers(emitted);
        life.deliver(emitted);
      }
    }
    if (!this.judge.isComplete) throw new Error(`not delivered: ${this.judge.missing.join(' ')}`);
    await life.run(2000);
    await this.#stop(life);
    this.#look(life);
  }

  async #liveWithoutAnythingNew(): Promise<void> {
    const life = await this.#begin();
    await life.run(2000);
    await this.#stop(life);
    this.#look(life);
    if (life.context.emitted.length > 0) throw new Error('there is nothing new, and something is read');
  }
}

void test('whenever an agent is stopped or killed, each entry is delivered under one id, and again only if it was not settled', async (t) => {
  const directory = temporaryDirectory(t);
  const sums = { entries: 0, repeated: 0, joined: 0 };
  for (const seed of Array(SCHEDULES).keys()) {
    const place = join(directory, String(seed));
    mkdirSync(place);
    const schedule = new Schedule(place, seed);
    try {
      await schedule.play();
    } catch (error) {
      t.fail(`the schedule of seed ${seed}: ${String(error)}`);
    }
    rmSync(place, { recursive: true });
    sums.entries += schedule.entries;
    sums.repeated += schedule.judge.repeated;
    sums.joined += schedule.judge.joined;
  }
  t.ok(sums.entries > SCHEDULES * 100 && sums.repeated > SCHEDULES && sums.joined > SCHEDULES, JSON.stringify(sums));
});
