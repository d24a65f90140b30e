import { makeBatch, readBatch } from '../../../../test/helpers/batches.ts';
import { SimulatedDisk } from '../../../../test/helpers/simulated_disk.ts';
import { SegmentLog } from '../segment_log.ts';
import type { SegmentReader } from '../segment_reader.ts';
import type { Damage, StoredBatch } from '../types.ts';

/** A disk on which a crash loses all that was not synced, and a lane on it. */
export class Lane {
  readonly disk = new SimulatedDisk({ random: () => 0 });
  readonly damages: Damage[] = [];
  readonly cuts: [string, number][] = [];
  readonly segmentBytes: number;
  /** As the process sees them that opened the log last. */
  files = this.disk.mount();

  constructor(segmentBytes = 10_000) {
    this.segmentBytes = segmentBytes;
  }

  /** The log as a new process finds it. */
  async open(from = 0): Promise<SegmentLog> {
    const files = this.disk.mount();
    this.files = files;
    await files.makeDirectory('/spool');
    const events = {
      damaged: (damage: Damage) => void this.damages.push(damage),
      cut: (...cut: [string, number]) => void this.cuts.push(cut),
    };
    const log = new SegmentLog({ directory: '/spool', lane: 'block', files, segmentBytes: this.segmentBytes, events });
    await log.recover(from);
    return log;
  }

  get names(): string[] {
    return [...this.disk.contents.keys()].map((path) => path.replace('/spool/', ''));
  }

  content(name: string): Buffer {
    return this.disk.contents.get(`/spool/${name}`) ?? Buffer.alloc(0);
  }
}

/** The segment of a lane that begins at position 1. */
export const FIRST = 'block-0000000000000001.segment';

/** A batch of one record of about that many bytes. */
export function stored(position: number, bytes = 100): StoredBatch {
  return { position, batch: makeBatch([`${position} `.padEnd(bytes, 'x')], { receiver: 'pipe' }) };
}

/** The positions that a reader gives up to the end. */
export async function readAll(reader: SegmentReader): Promise<number[]> {
  const positions: number[] = [];
  for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
    const [record] = readBatch(next.batch);
    if (record?.body.startsWith(`${next.position} `) !== true) throw new Error(`position ${next.position} holds something else`);
    positions.push(next.position);
    next.batch.release();
  }
  return positions;
}

