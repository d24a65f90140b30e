import type { FileSystem } from '../../core/files.ts';
import { laneNames } from './inspection.ts';
import { SegmentLog } from './segment_log.ts';
import { openSpoolDirectory } from './spool_directory.ts';
import { StateFile } from './state_file.ts';
import type { Damage } from './types.ts';

/** What was done to a spool. */
export interface Repaired {
  /** Copied, unless the disk refused. */
  readonly damage: readonly Damage[];
  /** Unfinished ends of segments that were cut off. */
  readonly cuts: readonly { readonly segment: string; readonly bytes: number }[];
  /** Where a state file that could not be understood was moved; undefined where it is well. */
  readonly stateMovedTo: string | undefined;
}

/**
 * Does at once what an agent does bit by bit: cuts torn tails, reads every frame, and sets aside what is damaged. Nothing else is
 * changed. Throws a `SluiceError` where an agent uses the spool, and the system's error.
 */
export async function repairSpool(directory: string, files: FileSystem): Promise<Repaired> {
  const lock = await openSpoolDirectory(directory, files);
  try {
    const damage: Damage[] = [];
    const cuts: { segment: string; bytes: number }[] = [];
    const events = {
      damaged: (place: Damage) => void damage.push(place),
      cut: (segment: string, bytes: number) => void cuts.push({ segment, bytes }),
    };
    for (const lane of laneNames(await files.list(directory))) {
      // Nothing is appended, so the size of segments does not matter.
      await readAll(new SegmentLog({ directory, lane, files, segmentBytes: Infinity, events }));
    }
    let stateMovedTo: string | undefined;
    await new StateFile({ directory, files, damaged: (path) => void (stateMovedTo = path) }).load();
    return { damage, cuts, stateMovedTo };
  } finally {
    await lock.release();
  }
}

/** Reads every batch of a lane, which sets aside what is damaged. */
async function readAll(log: SegmentLog): Promise<void> {
  await log.recover(0);
  const reader = log.openReader(0);
  try {
    for (let stored = await reader.next(); stored !== undefined; stored = await reader.next()) stored.batch.release();
  } finally {
    await reader.close();
    await log.close();
  }
}
