import fc from 'fast-check';
import { test } from 'tap';
import type { Delivery } from '../../../src/core/component.ts';
import { makeBatch } from '../../../test/helpers/batches.ts';
import { Isolation, type Unit } from './isolation.ts';

/** `<delivery>.<index>` of a record. */
type RecordName = string;

interface Trial {
  /** Records of each delivery. */
  readonly sizes: readonly number[];
  /** Whether the connection, by its number from 0, ends when these records come as its batch, by its number from 0. */
  readonly ends: (records: readonly RecordName[], connection: number, batch: number) => boolean;
  readonly scope?: number;
  readonly maxAttempts?: number;
  readonly random?: () => number;
  /** Connections after which it is given up; default 2000. */
  readonly patience?: number;
}

class Report {
  readonly acked: RecordName[] = [];
  readonly condemned: RecordName[] = [];
  readonly reasons = new Set<string>();
  isOver = false;
  /** Records that were sent again to be compared with. */
  copies = 0;
  /** Connections that have ended by the receiver. */
  ended = 0;

  get all(): RecordName[] {
    return [...this.acked, ...this.condemned].sort();
  }
}

function namesOf({ delivery, first, count }: Unit): RecordName[] {
  return Array.from({ length: count }, (_, at) => `${delivery.position}.${first + at}`);
}

function every(sizes: readonly number[]): RecordName[] {
  return sizes.flatMap((size, position) => Array.from({ length: size }, (_, at) => `${position}.${at}`)).sort();
}

/** Plays the links and the receiver until the isolation is over. */
function play({ sizes, ends, scope = sizes.length, maxAttempts = Infinity, random = lot(1), patience = 2000 }: Trial): Report {
  const report = new Report();
  const open = sizes.slice(); // records of each delivery that are neither acked nor condemned
  let read = 0;
  const isolation = new Isolation({
    read: () => {
      if (read === sizes.length) return undefined;
      const count = sizes[read] ?? 0;
      const batch = makeBatch(Array.from({ length: count }, () => 'x'));
      const delivery: Delivery = { position: read++, batch };
      return { delivery, first: 0, count, attempts: 0, tries: 0, strikes: 0 };
    },
    hasRoom: () =>
      read -
        Math.max(
          0,
          open.findIndex((count) => count > 0),
        ) <
      64,
    isHeld: ({ position }) => position >= open.findIndex((count) => count > 0),
    scope,
    maxAttempts,
    random,
  });
  const done = (unit: Unit, into: RecordName[]): void => {
    if (unit.isCopy === true) {
      report.copies += 1;
      return;
    }
    into.push(...namesOf(unit));
    open[unit.delivery.position] = (open[unit.delivery.position] ?? 0) - unit.count;
  };
  for (let connection = 0; connection < patience; connection++) {
    for (let batch = 0; ; batch++) {
      const unit = isolation.next(batch === 0);
      if (unit === 'over') {
        report.isOver = true;
        return report;
      }
      if (typeof unit === 'string') break;
      if (!ends(namesOf(unit), connection, batch)) {
        done(isolation.acked(true), report.acked);
        continue;
      }
      report.ended += 1;
      const verdict = isolation.failed();
      if (verdict !== undefined) {
        done(verdict.unit, report.condemned);
        report.reasons.add(verdict.reason);
      }
      break;
    }
  }
  return report;
}

/** Repeatable chance (mulberry32). */
function lot(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function poisoned(...poisons: RecordName[]): Trial['ends'] {
  return (records) => poisons.some((poison) => records.includes(poison));
}

const TRAFFIC = Array.from({ length: 40 }, () => 10);

void test('a poisonous record is found, and costs itself alone', (t) => {
  for (const poison of ['0.0', '0.511', '0.300', '3.5']) {
    const sizes = [512, ...TRAFFIC];
    const report = play({ sizes, scope: 5, ends: poisoned(poison) });
    t.same(report.condemned, [poison]);
    t.same([...report.reasons], ['refused']);
    t.ok(report.isOver);
    t.ok(report.ended <= 30, `${report.ended} connections have ended for ${poison}`);
    const first = every(sizes.slice(0, 5)).filter((name) => name !== poison);
    t.ok(first.every((name) => report.acked.includes(name)), 'what was under way with it has been acked'); // prettier-ignore
  }
  t.end();
});

void test('whichever records are poisonous, those are condemned and all others acked, once each', (t) => {
  const trial = fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }),
    picks: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(trial, ({ sizes, picks, seed }) => {
      const names = every(sizes);
      const poisons = [...new Set(picks.map((pick) => names[pick % names.length] ?? ''))].sort();
      const all = [...sizes, ...TRAFFIC, ...TRAFFIC];
      const report = play({ sizes: all, scope: sizes.length, ends: poisoned(...poisons), random: lot(seed) });
      if (!report.isOver) throw new Error('it found no end');
      if (report.condemned.toSorted().join() !== poisons.join()) throw new Error(`condemned ${report.condemned.join()}`);
      if (new Set(report.all).size !== report.all.length) throw new Error('a record was settled twice');
      const acked = new Set(report.acked);
      const missing = names.filter((name) => !acked.has(name) && !poisons.includes(name));
      if (missing.length > 0) throw new Error(`${missing.join()} were not acked`);
    }),
    { numRuns: 500 },
  );
  t.end();
});

void test('more poisonous records than others to compare with are found all the same', (t) => {
  const sizes = Array.from({ length: 300 }, () => 1);
  const poisons = every(sizes).filter((name) => Number.parseInt(name, 10) % 3 === 0);
  const report = play({ sizes: [...sizes, ...TRAFFIC], scope: 300, ends: poisoned(...poisons), patience: 20_000 });
  t.ok(report.isOver);
  t.same(report.condemned.toSorted(), poisons);
  const settled = new Set(report.all);
  t.ok(every(sizes).every((name) => settled.has(name)));
  t.equal(settled.size, report.all.length, 'each once');
  t.end();
});

void test('a receiver that breaks at everything condemns nothing, however long, and gets everything once it is well', (t) => {
  const sizes = [20, ...TRAFFIC];
  const report = play({ sizes, ends: () => true, patience: 10_000 });
  t.same([report.condemned, report.acked], [[], []]);
  for (const outage of [1, 2, 3, 4, 7, 50]) {
    const healed = play({ sizes, ends: (_, connection) => connection < outage });
    t.same(healed.condemned, []);
    t.same(healed.all, every(sizes));
    const numbers = healed.acked.map((name) => Number.parseInt(name, 10));
    const isInOrder = numbers.every((number, at) => number >= (numbers[at - 1] ?? 0));
    if (outage <= 2) t.ok(isInOrder, `in order after ${outage} ends`);
  }
  t.end();
});

void test('a record that nothing can be compared with is tried again and again, and never condemned', (t) => {
  const report = play({ sizes: [1], ends: poisoned('0.0'), patience: 5000 });
  t.same(report.condemned, []);
  t.equal(report.ended, 5000);
  t.end();
});

void test('where there are no others left, one that was acked is sent again', (t) => {
  const report = play({ sizes: [64], ends: poisoned('0.9') });
  t.ok(report.isOver);
  t.same(report.condemned, ['0.9']);
  t.equal(report.acked.length, 63, 'each of the others once');
  t.ok(report.copies > 0 && report.copies < 40, `${report.copies} copies`);
  t.end();
});

void test('an outage in the midst of it condemns nothing either', (t) => {
  for (const sizes of [[512], [512, ...TRAFFIC]]) {
    for (let from = 3; from < 60; from += 3) {
      const isPoisoned = poisoned('0.300');
      const ends: Trial['ends'] = (records, connection, batch) =>
        (connection >= from && connection < from + 200) || isPoisoned(records, connection, batch);
      const report = play({ sizes, scope: 1, ends, random: lot(from) });
      t.same(report.condemned, ['0.300'], `from ${from} on`);
      t.ok(report.isOver && report.acked.length >= 511);
    }
  }
  t.end();
});

void test('receivers that end connections for other reasons condemn nothing', (t) => {
  const sizes = [100, ...TRAFFIC];
  const cases: Readonly<Record<string, Trial['ends']>> = {
    'after the first batch of each, once it is up': (_, connection, batch) => connection < 5 || batch >= 1,
    'when more than 5 records come at once': (records) => records.length > 5,
    'in the first 30, whatever comes': (_, connection) => connection < 30,
  };
  for (const [what, ends] of Object.entries(cases)) {
    const reports = Array.from({ length: 100 }, (_, seed) => play({ sizes, ends, random: lot(seed) }));
    t.same(reports.flatMap(({ condemned }) => condemned), [], what); // prettier-ignore
    t.ok(
      reports.every(({ acked }) => acked.length === 500),
      what,
    );
  }
  t.end();
});

void test('a balancer with one broken receiver of two, or one that breaks by chance, condemns next to nothing', (t) => {
  const sizes = [1, ...TRAFFIC];
  let condemned = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const chance = lot(-seed);
    const byTurns = play({ sizes, ends: (_, connection) => connection % 2 === 0, random: lot(seed) });
    const byChance = play({ sizes, ends: () => chance() < 0.5, random: lot(seed) });
    condemned += byTurns.condemned.length + byChance.condemned.length;
  }
  t.ok(condemned <= 8, `${condemned} records of ${400 * 2 * 401}`);
  t.end();
});

void test('with a limit, what was sent so often without an ack is given up, and nothing else', (t) => {
  const report = play({ sizes: [8, ...TRAFFIC], scope: 2, ends: poisoned('0.5'), maxAttempts: 8 });
  t.same([...report.reasons], ['retries_exhausted']);
  t.ok(report.condemned.includes('0.5'));
  t.ok(report.acked.includes('0.0'));
  const outage = play({ sizes: [8, ...TRAFFIC], scope: 2, ends: () => true, maxAttempts: 4, patience: 50 });
  t.same([...outage.reasons], ['retries_exhausted']);
  t.end();
});
