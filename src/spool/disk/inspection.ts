/** What the files of a spool hold, read without changing anything; also beside an agent that is using them. */
import { join } from 'node:path';
import { errnoOf } from '../../core/errors.ts';
import type { File, FileSystem } from '../../core/files.ts';
import { isPayloadRight } from './frame_decoder.ts';
import { FrameWalk } from './frame_walk.ts';
import { frameBytes, type FramePrefix, parseSegmentName, SEGMENT_HEADER_BYTES } from './layout.ts';
import { COPY_INFIX, copyPath } from './quarantine.ts';
import { type Candidate, candidatesOf, readSegmentHeader } from './recovery.ts';
import { parseState, type SpoolState, STATE_NAME } from './state_file.ts';

export interface SpoolInspection {
  readonly directory: string;
  /** Undefined where there is none, or it is damaged. */
  readonly state: SpoolState | undefined;
  readonly isStateDamaged: boolean;
  readonly lanes: readonly LaneInspection[];
  /** Names of the copies of damaged places. */
  readonly copies: readonly string[];
}

export interface LaneInspection {
  readonly lane: string;
  readonly segments: readonly SegmentInspection[];
}

export interface SegmentInspection {
  readonly name: string;
  readonly bytes: number;
  readonly frames: number;
  /** Of the first and the last good frame; undefined where there is none. */
  readonly positions: { readonly first: number; readonly last: number } | undefined;
  /** Records by receiver. */
  readonly records: ReadonlyMap<string, number>;
  /** Records that each destination has not settled. */
  readonly waiting: ReadonlyMap<string, number>;
  readonly damage: readonly DamagedPlace[];
  /** Bytes behind the last good frame of the lane's newest segment: an append that was not finished, or is going on. */
  readonly tailBytes: number;
}

export interface DamagedPlace {
  readonly offset: number;
  readonly bytes: number;
  /** Whether there is a copy of it. */
  readonly isSetAside: boolean;
}

export interface InspectionOptions {
  /** Whether to read and check payloads too. */
  readonly withPayloads: boolean;
}

/**
 * Throws a `SluiceError` for files of an unknown version, and the system's error (`ENOENT` where there is no such directory, `EIO` where
 * the disk cannot read).
 */
export async function inspectSpool(directory: string, files: FileSystem, options: InspectionOptions): Promise<SpoolInspection> {
  const names = await files.list(directory);
  const text = await readText(files, join(directory, STATE_NAME));
  const state = text === undefined ? undefined : parseState(text, join(directory, STATE_NAME));
  const lanes: LaneInspection[] = [];
  const copies = names.filter((name) => name.includes(COPY_INFIX)).sort();
  for (const lane of laneNames(names)) {
    const segments: SegmentInspection[] = [];
    for (const candidate of candidatesOf(directory, lane, names)) {
      const scan = new SegmentScan(candidate, { copies, settled: settledOf(state, lane), ...options });
      const segment = await unlessGone(scan.run(files));
      if (segment !== undefined) segments.push(segment);
    }
    lanes.push({ lane, segments });
  }
  return { directory, state, isStateDamaged: text !== undefined && state === undefined, lanes, copies };
}

export function laneNames(names: readonly string[]): string[] {
  return [...new Set(names.flatMap((name) => parseSegmentName(name)?.lane ?? []))].sort();
}

/** By destination: everything below this position of the lane is settled. */
function settledOf(state: SpoolState | undefined, lane: string): Map<string, number> {
  return new Map(Object.entries(state?.cursors ?? {}).map(([destination, byLane]) => [destination, byLane[lane] ?? 0]));
}

interface ScanOptions extends InspectionOptions {
  readonly copies: readonly string[];
  readonly settled: ReadonlyMap<string, number>;
}

class SegmentScan {
  readonly #candidate: Candidate;
  readonly #options: ScanOptions;
  readonly #records = new Map<string, number>();
  readonly #waiting: Map<string, number>;
  /** Damaged places, whole frames told apart, as one at the end of the newest segment is not a torn tail. */
  readonly #damage: { readonly offset: number; readonly bytes: number; readonly isWhole: boolean }[] = [];
  #frames = 0;
  #positions: { first: number; last: number } | undefined;
  #end = SEGMENT_HEADER_BYTES;

  constructor(candidate: Candidate, options: ScanOptions) {
    this.#candidate = candidate;
    this.#options = options;
    this.#waiting = new Map([...options.settled.keys()].map((destination) => [destination, 0]));
  }

  async run(files: FileSystem): Promise<SegmentInspection> {
    const { path, name, endPosition } = this.#candidate;
    const file = await files.open(path, 'read');
    try {
      const bytes = await file.size();
      const header = await readSegmentHeader(file, path);
      if (header === undefined) this.#damage.push({ offset: 0, bytes: Math.min(bytes, SEGMENT_HEADER_BYTES), isWhole: false });
      const walk = new FrameWalk(file, header?.mark);
      for (let step = await walk.next(bytes); step !== undefined; step = await walk.next(bytes)) {
        if (step.kind === 'damage') this.#damage.push({ ...step, isWhole: false });
        else if (step.prefix.position >= endPosition) break;
        else await this.#frame(walk, step.offset, step.prefix, bytes);
      }
      return {
        name,
        bytes,
        frames: this.#frames,
        positions: this.#positions,
        records: this.#records,
        waiting: this.#waiting,
        ...this.#wrong(name, bytes),
      };
    } finally {
      await file.close();
    }
  }

  async #frame(walk: FrameWalk, offset: number, prefix: FramePrefix, end: number): Promise<void> {
    const { position, records } = prefix;
    const header = await walk.header(offset, prefix);
    const isRight =
      header !== undefined && (!this.#options.withPayloads || (await this.#isPayloadRight(walk, offset, prefix, end)));
    if (!isRight) return void this.#damage.push({ offset, bytes: frameBytes(prefix), isWhole: true });
    this.#frames += 1;
    this.#end = offset + frameBytes(prefix);
    this.#positions = { first: this.#positions?.first ?? position, last: position };
    add(this.#records, header.receiver, records);
    for (const [destination, settled] of this.#options.settled) if (position >= settled) add(this.#waiting, destination, records);
  }

  async #isPayloadRight(walk: FrameWalk, offset: number, prefix: FramePrefix, end: number): Promise<boolean> {
    const frame = await walk.read(offset, prefix, end, (bytes) => Buffer.allocUnsafe(bytes));
    return isPayloadRight(prefix, frame, 0);
  }

  /** What is damaged; of the newest segment, what is behind the last good frame and not a whole frame is its tail. */
  #wrong(name: string, bytes: number): Pick<SegmentInspection, 'damage' | 'tailBytes'> {
    const isNewest = this.#candidate.endPosition === Infinity;
    const isTail = (place: { offset: number; isWhole: boolean }): boolean =>
      isNewest && !place.isWhole && place.offset >= this.#end;
    const damage = this.#damage
      .filter((place) => !isTail(place))
      .map(({ offset, bytes: length }) => ({
        offset,
        bytes: length,
        isSetAside: this.#options.copies.includes(copyPath(name, offset)),
      }));
    const end = Math.max(this.#end, ...damage.map((place) => place.offset + place.bytes));
    return { damage, tailBytes: isNewest ? Math.max(0, bytes - end) : 0 };
  }
}

function add(counts: Map<string, number>, key: string, records: number): void {
  counts.set(key, (counts.get(key) ?? 0) + records);
}

async function readText(files: FileSystem, path: string): Promise<string | undefined> {
  const file = await unlessGone<File>(files.open(path, 'read'));
  if (file === undefined) return undefined;
  try {
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    return bytes.toString('utf8');
  } finally {
    await file.close();
  }
}

/** Undefined where the file is not there, as when a running agent has removed it. */
async function unlessGone<T>(attempt: Promise<T>): Promise<T | undefined> {
  try {
    return await attempt;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
