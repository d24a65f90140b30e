/** A lane on a simulated disk, and beside it what ought to be in it: plain lists in memory. */
import assert from 'node:assert/strict';
import { errnoOf } from '../../../core/errors.ts';
import { makeBatch, readBatch } from '../../../../test/helpers/batches.ts';
import { SimulatedDisk } from '../../../../test/helpers/simulated_disk.ts';
import type { Random } from '../../../../test/helpers/simulated_inode.ts';
import { SegmentLog } from '../segment_log.ts';
import type { Damage, ReceiverRecords, StoredBatch } from '../types.ts';

const DIRECTORY = '/spool';
const RECEIVERS = ['pipe/a', 'pipe/b'] as const;

/** Small, so that a run makes many. */
const SEGMENT_BYTES = 3000;

export class LaneModel {
  readonly disk: SimulatedDisk;
  /** Bits flipped so far: each costs one batch at most. */
  flips = 0;
  readonly damages: Damage[] = [];
  #log: SegmentLog;
  #nextPosition = 1;
  /** Everything below is done with. */
  #settled = 0;
  /** Positions that are in the log, ascending. */
  #written: number[] = [];
  /** Positions that were in the log at a sync that was good. */
  #safe = new Set<number>();
  #unsafe = new Set<number>();
  /** The highest position that the last start has found. */
  #recovered = -1;
  /** Positions that are to be appended, again or for the first time. */
  #pending: number[] = [];
  /** Positions that were told to be finished since the log was opened. */
  #finished = new Set<number>();
  /** A loss of power may leave holes in what was not synced. */
  #hasLostPower = false;
  #hasFailed = false;

  constructor(random: Random) {
    this.disk = new SimulatedDisk({ random });
    this.#log = this.#openLog();
  }

  async start(): Promise<void> {
    this.#log = this.#openLog();
    await this.#log.recover(this.#settled);
  }

  /** Appends what failed before and `count` more, as one. */
  async append(count: number): Promise<void> {
    for (let more = 0; more < count; more++) this.#pending.push(this.#nextPosition++);
    const positions = this.#pending;
    await this.#unlessSystemError(this.#log.append(positions.map(batchAt)), () => {
      this.#written.push(...positions);
      this.#pending = [];
    });
    assert.equal(this.#log.lastPosition, Math.max(this.#log.lastPosition, this.#written.at(-1) ?? -1));
  }

  async sync(): Promise<void> {
    const isDone = await this.#unlessSystemError(this.#log.sync(), () => {
      for (const position of this.#written) if (!this.#unsafe.has(position)) this.#safe.add(position);
    });
    if (isDone) return;
    // What a restart has found, and what could not be synced then, nobody can write again.
    this.#unsafe = new Set(this.#written.filter((position) => position <= this.#recovered && !this.#safe.has(position)));
    const { syncedPosition } = this.#log;
    const takenBack = this.#written.filter((position) => position > syncedPosition);
    this.#written = this.#written.filter((position) => position <= syncedPosition);
    assert.ok([...this.#safe].every((position) => position <= syncedPosition));
    this.#pending = [...takenBack.filter((position) => !this.#finished.has(position)), ...this.#pending];
  }

  /** Reads all that is at or above a position, and compares. */
  async read(share: number): Promise<void> {
    const from = this.#settled + Math.floor(share * (this.#nextPosition - this.#settled));
    this.#compare(await this.#readFrom(from), this.#written.filter((position) => position >= from));
  }

  /** Settles a part of what can be read, oldest first. */
  async settle(share: number): Promise<void> {
    const readable = await this.#readFrom(this.#settled);
    for (const position of readable.slice(0, Math.ceil(share * readable.length))) {
      this.#settled = position + 1;
      this.#finished.add(position);
      for (const { receiver, records } of recordsOf(position)) this.#log.finished(position, receiver, records);
    }
    await this.#unlessSystemError(this.#log.removeBelow(this.#settled), (unfinished) => {
      const lost = unfinished.reduce((sum, { records }) => sum + records, 0);
      if (this.flips === 0 && !this.#hasLostPower) assert.equal(lost, 0);
    });
    this.#written = this.#written.filter((position) => position >= this.#settled);
  }

  async dropOldest(): Promise<void> {
    const before = this.#log.bytes;
    await this.#unlessSystemError(
      this.#log.dropOldest(() => false),
      async (dropped) => {
        if (dropped === undefined) return assert.equal(before, 0);
        assert.ok(this.#log.bytes < before);
      },
    );
    const left = new Set(await this.#readFrom(0));
    const gone = this.#written.filter((position) => !left.has(position));
    if (this.flips === 0) assert.deepEqual(gone, this.#written.slice(0, gone.length), 'what goes is the oldest');
    this.#written = this.#written.filter((position) => left.has(position));
    for (const position of gone) this.#safe.delete(position);
  }

  /** Ends the process, perhaps together with the machine, and starts anew. */
  async crash(isPowerLost: boolean): Promise<void> {
    if (isPowerLost) this.disk.crash();
    else this.disk.kill();
    this.disk.failWith(undefined);
    this.#hasLostPower ||= isPowerLost;
    const expected = (isPowerLost ? this.#written.filter((position) => this.#safe.has(position)) : this.#written).filter(
      (position) => position >= this.#settled,
    );
    this.#log = this.#openLog();
    const { lastPosition } = await this.#log.recover(this.#settled);
    const held = [...this.#log.held()];
    const found = await this.#readFrom(this.#settled);
    const missing = expected.filter((position) => !found.includes(position));
    assert.ok(missing.length <= this.flips, `${missing.join()} were written and are not there`);
    assert.ok(found.every((position) => position <= lastPosition && position < this.#nextPosition));
    const heldRecords = held.reduce((sum, { records }) => sum + records, 0);
    const foundRecords = found.reduce((sum, position) => sum + countOf(position), 0);
    assert.ok(heldRecords >= foundRecords);
    if (this.flips === 0 && !this.#hasLostPower) assert.equal(heldRecords, foundRecords);
    this.#written = found;
    this.#safe = new Set(found.filter((position) => this.#safe.has(position)));
    this.#recovered = lastPosition;
    this.#finished = new Set();
    this.#nextPosition = Math.max(this.#nextPosition, lastPosition + 1);
    this.#pending = [];
  }

  /** Crashes after some calls to the disk of an append and a sync. */
  async crashInAppend(count: number, calls: number, isPowerLost: boolean): Promise<void> {
    let left = calls;
    this.disk.fault = () => {
      left -= 1;
      if (left === 0) this.disk.kill();
      return undefined;
    };
    const ends = this.append(count).then(() => this.sync());
    await Promise.race([ends, new Promise((resolve) => setImmediate(resolve))]);
    await this.crash(isPowerLost);
  }

  /** The next calls to the disk that change something fail, or with `EIO` any call. */
  fail(code: string, calls: number): void {
    this.#hasFailed = true;
    this.disk.failWith(code);
    const { fault } = this.disk;
    let left = calls;
    this.disk.fault = (operation, path) => {
      const given = left > 0 ? fault(operation, path) : undefined;
      if (given !== undefined) left -= 1;
      return given;
    };
  }

  flip(): void {
    if (this.disk.corrupt((path) => path.endsWith('.segment')) !== undefined) this.flips += 1;
  }

  /** Settles everything; the log says what it could not give, and nothing is left of it. */
  async end(): Promise<void> {
    this.disk.failWith(undefined);
    const before = sumOf(this.#log.held());
    const readable = await this.#readFrom(0);
    for (const position of readable) {
      for (const { receiver, records } of recordsOf(position)) if (position >= this.#settled) this.#log.finished(position, receiver, records);
    }
    const finished = readable.filter((position) => position >= this.#settled).reduce((sum, position) => sum + countOf(position), 0);
    const lost = sumOf(await this.#log.removeBelow(this.#nextPosition));
    assert.equal(finished + lost, before, 'what it held is finished or told to be lost');
    assert.ok(this.#log.isEmpty);
    await this.#log.close();
    const left = [...this.disk.contents.keys()].filter((path) => path.endsWith('.segment'));
    assert.deepEqual(left, []);
    // What an append that failed has left may look like damage to the next start.
    if (this.flips === 0 && !this.#hasLostPower && !this.#hasFailed) assert.deepEqual(this.damages, []);
  }

  #openLog(): SegmentLog {
    const files = this.disk.mount();
    void files.makeDirectory(DIRECTORY);
    const events = { damaged: (damage: Damage) => void this.damages.push(damage), cut: () => {} };
    return new SegmentLog({ directory: DIRECTORY, lane: 'drop_oldest', files, segmentBytes: SEGMENT_BYTES, events });
  }

  /** The positions that a reader gives, each batch compared with what was written. A disk that fails is asked again. */
  async #readFrom(from: number): Promise<number[]> {
    const reader = this.#log.openReader(from);
    const positions: number[] = [];
    for (;;) {
      let stored: StoredBatch | undefined;
      const isDone = await this.#unlessSystemError(reader.next(), (next) => void (stored = next));
      if (!isDone) continue;
      if (stored === undefined) break;
      const { position, batch } = stored;
      assert.ok(position >= from && position > (positions.at(-1) ?? -1), 'positions ascend');
      assert.deepEqual(readBatch(batch), readBatch(batchAt(position).batch));
      assert.equal(batch.receiver, RECEIVERS[position % 2]);
      positions.push(position);
      batch.release();
    }
    await reader.close();
    return positions;
  }

  #compare(found: readonly number[], expected: readonly number[]): void {
    assert.deepEqual(
      found.filter((position) => !expected.includes(position)),
      [],
      'nothing is read that was not appended',
    );
    const missing = expected.filter((position) => !found.includes(position));
    assert.ok(missing.length <= this.flips, `${missing.join()} cannot be read`);
  }

  /** False where the disk refused. */
  async #unlessSystemError<T>(attempt: Promise<T>, then: (value: T) => unknown): Promise<boolean> {
    let value: T;
    try {
      value = await attempt;
    } catch (error) {
      if (errnoOf(error) === undefined || error instanceof assert.AssertionError) throw error;
      return false;
    }
    await then(value);
    return true;
  }
}

/** What stands at a position is always the same: up to three records of up to 700 bytes, from one of two receivers. */
function batchAt(position: number): StoredBatch {
  const records = Array.from({ length: countOf(position) }, (_, at) => ({
    body: `${position}.${at} `.repeat(1 + ((position * 37 + at) % 60)),
    service: `service-${(position + at) % 3}`,
    fields: at % 2 === 0 ? '' : `"at":${at}`,
    sequence: position * 10 + at,
    time: position,
  }));
  return { position, batch: makeBatch(records, { receiver: receiverAt(position), epoch: 'e' }) };
}

function receiverAt(position: number): string {
  return position % 2 === 0 ? RECEIVERS[0] : RECEIVERS[1];
}

function countOf(position: number): number {
  return 1 + (position % 3);
}

function recordsOf(position: number): ReceiverRecords[] {
  return [{ receiver: receiverAt(position), records: countOf(position) }];
}

function sumOf(counts: Iterable<ReceiverRecords>): number {
  return [...counts].reduce((sum, { records }) => sum + records, 0);
}
