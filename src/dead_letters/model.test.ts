/**
 * The store, the replayer and the commands together, on a disk that fails, fills and loses power, in virtual time. What happens is drawn from
 * a seed; afterwards every letter whose put had settled is somewhere, or was delivered or purged.
 */
import { test } from 'tap';
import type { Batch } from '../core/batch.ts';
import { below, type Random } from '../../test/helpers/simulated_inode.ts';
import { SimulatedDisk } from '../../test/helpers/simulated_disk.ts';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { LetterEditor } from './editor.ts';
import { Replayer } from './replayer.ts';
import { DeadLetterStore } from './store.ts';
import { batchOf, benchOn, DIRECTORY, idsOn, REFUSAL, seeded } from './testdata/letters.ts';

const SEEDS = 40;
const LIVES = 4;
const STEPS = 25;
const DESTINATIONS = ['log-a', 'log-b'] as const;

class World {
  readonly random: Random;
  readonly clock = new VirtualClock();
  readonly disk: SimulatedDisk;
  /** Ids of letters that somebody was told are safe. */
  readonly safe = new Set<string>();
  /** Ids of all letters that were ever put, and those that were delivered or given to be purged. */
  readonly known = new Set<string>();
  readonly delivered = new Set<string>();
  readonly purged = new Set<string>();
  readonly counts = { replays: 0, refusedAgain: 0, failures: 0, commands: 0 };
  #sequence = 0;

  constructor(seed: number) {
    this.random = seeded(seed * 7919);
    this.disk = new SimulatedDisk({ random: this.random, clock: this.clock });
    this.disk.latencyMs = () => (below(this.random, 4) === 0 ? below(this.random, 30) : 0);
  }

  async live(): Promise<void> {
    const files = this.disk.mount();
    const { store, log, metrics } = benchOn(files, { clock: this.clock });
    const starting = store.start();
    await this.clock.run(6000);
    await starting;
    const replayer = new Replayer({
      directory: DIRECTORY,
      store,
      receiver: 'dead_letters/logs',
      destinations: DESTINATIONS,
      emit: (batch) => void this.clock.after(below(this.random, 2000), () => void this.#settle(store, batch)),
      whenRoom: () => undefined,
      files,
      clock: this.clock,
      log,
      metrics,
    });
    replayer.start();
    const steps: readonly (() => void)[] = [
      () => void this.#put(store),
      () => void this.#put(store),
      () => void this.#command(files, (editor, ids) => editor.replay({ ids })),
      () => void this.#command(files, (editor) => editor.replay({ destinations: [this.#any(DESTINATIONS)] })),
      () => void this.#purge(files),
      () => this.disk.failWith(below(this.random, 3) > 0 ? undefined : this.#any(['ENOSPC', 'EIO', 'EROFS'])),
    ];
    for (let step = 0; step < STEPS; step++) {
      this.#any(steps)();
      await this.clock.run(below(this.random, 800));
    }
    if (below(this.random, 3) === 0) {
      replayer.stop();
      await this.clock.run(below(this.random, 100));
    }
    if (below(this.random, 2) === 0) this.disk.kill();
    else this.disk.crash();
    this.disk.failWith(undefined);
  }

  async #put(store: DeadLetterStore): Promise<void> {
    const sequence = this.#sequence++;
    const body = 'x'.repeat(below(this.random, 2000));
    this.known.add(`e-${sequence}`);
    try {
      await store.put(batchOf([{ body, sequence }]), [0], this.#any(DESTINATIONS), REFUSAL);
      this.safe.add(`e-${sequence}`);
    } catch {
      this.counts.failures += 1;
    }
  }

  async #settle(store: DeadLetterStore, batch: Batch): Promise<void> {
    const text = batch.arena.toString();
    const ids = [...text.matchAll(/"id":"([^"]*)"/g)].map(([, id = '']) => id);
    this.counts.replays += ids.length;
    const outcome = below(this.random, 4);
    if (outcome === 0) return batch.settle({ kind: 'failed', reason: 'the destination is away' });
    if (outcome > 1) {
      for (const id of ids) this.delivered.add(id);
      return batch.settle({ kind: 'delivered' });
    }
    try {
      await store.put(
        batch,
        ids.map((_, index) => index),
        batch.onlyFor ?? '',
        REFUSAL,
      );
      this.counts.refusedAgain += ids.length;
      batch.settle({ kind: 'rejected', reason: 'refused' });
    } catch {
      batch.settle({ kind: 'dropped', reason: 'dead_letters_unavailable' });
    }
  }

  async #purge(files: ReturnType<SimulatedDisk['mount']>): Promise<void> {
    await this.#command(files, (editor, ids) => {
      for (const id of ids) this.purged.add(id);
      return editor.purge({ ids });
    });
  }

  /** A command on some letters; one that fails has said why, and may have done a part. */
  async #command(
    files: ReturnType<SimulatedDisk['mount']>,
    work: (editor: LetterEditor, ids: readonly string[]) => Promise<unknown>,
  ): Promise<void> {
    try {
      const editor = await LetterEditor.begin({ directory: DIRECTORY, files, clock: this.clock });
      try {
        const ids = idsOn(this.disk).filter(() => below(this.random, 4) === 0);
        await work(editor, ids);
        this.counts.commands += 1;
      } finally {
        await editor.end();
      }
    } catch {
      // told to whoever gave the command
    }
  }

  #any<T>(values: readonly T[]): T {
    return values[below(this.random, values.length)]!; // there are some
  }
}

void test('whatever happens, a letter that was safe is in the store or the inbox, or was delivered or purged', async (t) => {
  const sum = { safe: 0, delivered: 0, purged: 0, replays: 0, refusedAgain: 0, failures: 0, commands: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = new World(seed);
    for (let life = 0; life < LIVES; life++) await world.live();
    const found = [...idsOn(world.disk), ...idsOn(world.disk, `${DIRECTORY}/replay`)];
    const gone = [...world.safe].filter((id) => !found.includes(id) && !world.delivered.has(id) && !world.purged.has(id));
    t.same(gone, [], `seed ${seed}: letters that are nowhere`);
    t.same(
      found.filter((id) => !world.known.has(id)),
      [],
      `seed ${seed}: letters that nobody put`,
    );
    for (const name of ['safe', 'delivered', 'purged'] as const) sum[name] += world[name].size;
    for (const name of ['replays', 'refusedAgain', 'failures', 'commands'] as const) sum[name] += world.counts[name];
  }
  t.comment(JSON.stringify(sum));
  for (const [what, count] of Object.entries(sum)) t.ok(count > SEEDS, `${what} happened, ${count} times`);
});
