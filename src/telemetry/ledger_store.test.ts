import * as fc from 'fast-check';
import { test } from 'tap';
import { RecordingLog } from '../../test/helpers/recording.ts';
import { SimulatedDisk } from '../../test/helpers/simulated_disk.ts';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import type { SpoolMark } from '../core/spool_mark.ts';
import { Ledger } from './ledger.ts';
import { decodeLedger } from './ledger_file.ts';
import { LedgerStore } from './ledger_store.ts';

const PATH = '/ledger.json';

/** A disk that tears in the same places each time. */
function seededDisk(seed = 1): SimulatedDisk {
  let state = seed;
  return new SimulatedDisk({ random: () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 });
}

function textOf(disk: SimulatedDisk, path = PATH): string {
  return disk.contents.get(path)?.toString() ?? '';
}

async function put(disk: SimulatedDisk, text: string): Promise<void> {
  const file = await disk.mount().open(PATH, 'create');
  await file.write([Buffer.from(text)], 0);
}

/** One life of an agent with one receiver, on a disk that outlives it. */
class Life {
  readonly clock = new VirtualClock();
  readonly log = new RecordingLog();
  readonly ledger = new Ledger();
  readonly store: LedgerStore;
  marks = new Map<string, SpoolMark>();
  held = { receiver: 'pipe', inFlight: 0, spooled: 0, safe: 0 };

  constructor(disk: SimulatedDisk) {
    const { ledger, clock, log } = this;
    ledger.held(() => [this.held]);
    this.store = new LedgerStore({ path: PATH, ledger, files: disk.mount(), clock, log, marks: () => this.marks });
  }

  /** Starts with this many records recovered from the spool. */
  async start(recovered = 0, newer = 0, hasDamage = false): Promise<this> {
    await this.store.load();
    this.held = { ...this.held, spooled: recovered + newer, safe: recovered + newer };
    const records = new Map(recovered + newer === 0 ? [] : [['pipe', { known: recovered, newer }]]);
    this.store.restore([{ records, hasDamage }]);
    await this.store.start();
    return this;
  }

  /** Takes records in; some are delivered, the others held, of which some are safe. */
  take(records: number, { delivered = 0, safe = 0 } = {}): void {
    this.ledger.account('pipe').accepted(records);
    this.ledger.account('pipe').delivered(delivered);
    this.held = { ...this.held, inFlight: this.held.inFlight + records - delivered, safe: this.held.safe + safe };
  }

  get entry() {
    return this.ledger.snapshot().total;
  }
}

void test('totals go on after an orderly end, and what was held is what the spool has', async (t) => {
  const disk = seededDisk();
  const first = await new Life(disk).start();
  first.take(10, { delivered: 7 });
  first.ledger.account('pipe').accepted(2);
  first.ledger.account('pipe').dropped(1, 'rate_limit');
  first.ledger.account('pipe').deadLettered(1, 'too_large');
  await first.store.stop();
  const second = await new Life(disk).start(3);
  t.match(second.entry, {
    accepted: 12,
    delivered: 7,
    spooled: 3,
    unaccounted: 0,
    droppedByReason: { rate_limit: 1 },
    deadLetteredByReason: { too_large: 1 },
  });
  t.same(second.log.lines, [], 'there is nothing to tell');
  second.take(5, { delivered: 5 });
  t.match(second.entry, { accepted: 17, delivered: 12 });
});

void test('what came after the ledger was saved does not hide what was lost before', async (t) => {
  const disk = seededDisk();
  const first = await new Life(disk).start();
  first.take(10, { delivered: 2, safe: 3 });
  first.marks.set('logs', { id: 'a-spool', nextPosition: 7, cursors: { 'log-a': { drop_oldest: 2 } } });
  await first.clock.run(1000);
  const second = await new Life(disk).start(3, 50);
  t.match(second.entry, { accepted: 60, delivered: 2, spooled: 53, unaccounted: 0, droppedByReason: { crash: 5 } });
  const third = new Life(disk);
  await third.store.load();
  t.equal(third.store.markOf('logs'), undefined, 'the spool of the second run had none');
});

void test('what was safe and is not there is damaged where the spool has damaged places', async (t) => {
  const disk = seededDisk();
  const first = await new Life(disk).start();
  first.take(10, { safe: 8 });
  await first.clock.run(1000);
  const second = await new Life(disk).start(3, 0, true);
  t.match(second.entry, { spooled: 3, unaccounted: 0, droppedByReason: { crash: 2, damaged: 5 } });
  await second.store.stop();
  const third = await new Life(disk).start(1, 0, true);
  t.match(third.entry, { spooled: 1, unaccounted: 0, droppedByReason: { crash: 2, damaged: 7 } });
});

void test('a mark is there at the next start', async (t) => {
  const disk = seededDisk();
  const first = await new Life(disk).start();
  const mark = { id: 'a-spool', nextPosition: 7, cursors: { 'log-a': { drop_oldest: 2 } } };
  first.marks.set('logs', mark);
  await first.clock.run(1000);
  const second = new Life(disk);
  await second.store.load();
  t.same(second.store.markOf('logs'), mark);
});

void test('what a killed process held and the spool has not is booked as crash, as far as it was not safe', async (t) => {
  const disk = seededDisk();
  const first = await new Life(disk).start();
  first.take(10, { delivered: 2, safe: 5 });
  await first.clock.run(1000);
  const second = await new Life(disk).start(1);
  t.match(second.entry, { accepted: 10, delivered: 2, dropped: 7, spooled: 1, unaccounted: 0 });
  t.same(second.entry.droppedByReason, { crash: 3, crash_settled: 4 });
  t.match(second.log.lines, [{ level: 'warn', fields: { receiver: 'pipe', found: 0, dropped: { crash: 3, crash_settled: 4 } } }]);
});

void test('what the spool has and the saved ledger has not was accepted after it was saved', async (t) => {
  const disk = seededDisk();
  const first = await new Life(disk).start();
  first.take(10, { delivered: 2 });
  await first.clock.run(1000);
  const second = await new Life(disk).start(11);
  t.match(second.entry, { accepted: 13, delivered: 2, dropped: 0, spooled: 11, unaccounted: 0 });
});

void test('records that have gone from the spool after an orderly end are missing, not lost in a crash', async (t) => {
  const disk = seededDisk();
  const first = await new Life(disk).start();
  first.take(10);
  await first.store.stop();
  const second = await new Life(disk).start(4);
  t.same(second.entry.droppedByReason, { missing: 6 });
  t.equal(second.entry.unaccounted, 0);
});

void test('a process that is killed right after its start leaves no ledger that speaks of an orderly end', async (t) => {
  const disk = seededDisk();
  const first = await new Life(disk).start();
  first.take(10);
  await first.store.stop();
  t.equal(decodeLedger(textOf(disk)).isClean, true);
  await new Life(disk).start(10);
  t.equal(decodeLedger(textOf(disk)).isClean, false);
  t.same((await new Life(disk).start(6)).entry.droppedByReason, { crash_settled: 4 });
});

void test('receivers that are not configured any more keep their accounts', async (t) => {
  const disk = seededDisk();
  const first = await new Life(disk).start();
  first.ledger.account('unix').accepted(3);
  first.ledger.account('unix').delivered(3);
  await first.store.stop();
  const second = await new Life(disk).start();
  await second.store.stop();
  const third = await new Life(disk).start();
  t.match(third.ledger.snapshot().receivers.get('unix'), { accepted: 3, delivered: 3, unaccounted: 0 });
});

void test('the ledger is saved once a second while it changes, and not at all while it does not', async (t) => {
  const disk = seededDisk();
  const life = await new Life(disk).start();
  let saves = 0;
  disk.fault = (operation) => {
    if (operation === 'rename') saves += 1;
    return undefined;
  };
  await life.clock.run(60_000);
  t.equal(saves, 0);
  for (let tenth = 0; tenth < 100; tenth++) {
    life.take(1, { delivered: 1 });
    await life.clock.run(100);
  }
  t.equal(saves, 10);
  await life.store.stop();
  await life.store.stop();
  t.equal(life.clock.pendingTimers, 0);
});

void test('a damaged ledger is moved aside and told, and what the spool has is taken in anew', async (t) => {
  const whole = '{"version":1,"clean":true,"receivers":{"pipe":{"accepted":1,"delivered":1,"dead_lettered":{},"dropped":{},';
  for (const [damaged, reason] of [
    ['', /JSON/],
    [whole, /JSON/],
    ['[]', /not a JSON object/],
    ['{"version":2}', /version is 2, not 1/],
    ['{"version":1,"clean":1,"receivers":{}}', /"clean" is neither/],
    [`${whole}"held":-1,"safe":0}}}`, /pipe: held is no count/],
    [`${whole}"held":1,"safe":2}}}`, /more records are safe/],
    [`${whole.replace('"dropped":{}', '"dropped":{"crash":"1"}')}"held":1,"safe":0}}}`, /pipe: dropped: crash is no count/],
  ] as const) {
    const disk = seededDisk();
    await put(disk, damaged);
    const life = await new Life(disk).start(4);
    t.match(life.entry, { accepted: 4, spooled: 4, unaccounted: 0 });
    t.match(life.log.lines[0], { level: 'error', fields: { path: PATH, moved_to: `${PATH}.damaged`, reason } });
    t.equal(textOf(disk, `${PATH}.damaged`), damaged);
  }
});

void test('a ledger that is there and cannot be read is an error, since going on would forget it', async (t) => {
  const disk = seededDisk();
  await put(disk, '{}');
  disk.failWith('EIO');
  await t.rejects(new Life(disk).store.load(), { code: 'EIO' });
});

void test('a disk that takes no writes is told, stops nothing, and is used again when it does', async (t) => {
  const disk = seededDisk();
  const life = await new Life(disk).start();
  life.take(5, { delivered: 5 });
  disk.failWith('ENOSPC');
  await life.clock.run(3000);
  t.match(life.log.lines, [{ level: 'warn', fields: { reason: /ENOSPC/ } }, { level: 'warn' }, { level: 'warn' }]);
  disk.failWith(undefined);
  await life.clock.run(1000);
  t.equal(decodeLedger(textOf(disk)).accounts.get('pipe')?.accepted, 5);
});

void test('wherever the power fails while the ledger is being saved, it is afterwards as it was before or after', async (t) => {
  const seen = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    const disk = seededDisk(seed * 7919);
    const life = await new Life(disk).start();
    life.take(5, { delivered: 5 });
    let left = seed % 10; // more than the operations of a save
    disk.fault = () => {
      if (left-- === 0) disk.crash();
      return undefined;
    };
    await life.clock.run(1000);
    disk.fault = () => undefined;
    disk.crash();
    const next = await new Life(disk).start();
    t.same(next.log.lines, [], 'it is whole');
    seen.add(next.entry.accepted);
  }
  t.same(
    [...seen].sort((one, other) => one - other),
    [0, 5],
  );
});

void test('a save that has ended is not lost with the power', async (t) => {
  const disk = seededDisk();
  const life = await new Life(disk).start();
  life.take(5, { delivered: 5 });
  await life.clock.run(1000);
  disk.crash();
  t.equal((await new Life(disk).start()).entry.accepted, 5);
});

void test('what is saved and restored balances whatever was held, safe and recovered', async () => {
  const counts = fc.record({ held: fc.nat(50), safe: fc.nat(50), recovered: fc.nat(100), clean: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(counts, { maxLength: 5 }), async (lives) => {
      const disk = seededDisk();
      let recovered = 0;
      for (const { held, safe, recovered: next, clean } of lives) {
        const life = await new Life(disk).start(recovered);
        life.take(held + 3, { delivered: 3, safe });
        if (life.entry.unaccounted !== 0) return false;
        if (clean) await life.store.stop();
        else await life.clock.run(1000);
        recovered = next;
      }
      return (await new Life(disk).start(recovered)).entry.unaccounted === 0;
    }),
  );
});
