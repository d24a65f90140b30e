/** What a start does with the segments of a lane; `src/spool/FORMAT.md`, "Recovery". */
import { basename, join } from 'node:path';
import { errnoOf, SluiceError } from '../../core/errors.ts';
import type { File, FileSystem } from '../../core/files.ts';
import { isPayloadRight } from './frame_decoder.ts';
import { FrameWalk } from './frame_walk.ts';
import {
  decodeSegmentHeader,
  FORMAT_VERSION,
  frameBytes,
  type FramePrefix,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './layout.ts';
import type { Quarantine } from './quarantine.ts';
import { Segment } from './segment.ts';
import { isDone } from './segment_file.ts';
import type { ReceiverRecords, SegmentLogEvents } from './types.ts';

export interface RecoveryOptions {
  readonly directory: string;
  readonly lane: string;
  readonly files: FileSystem;
  readonly events: SegmentLogEvents;
  readonly quarantine: Quarantine;
  /** Frames below this position are done with. */
  readonly from: number;
  /** Frames from this position on are told apart. */
  readonly newerFrom: number;
}

type Counts = Pick<RecoveredSegments, 'lost' | 'newer' | 'hasDamage'>;

export interface Candidate {
  readonly path: string;
  readonly name: string;
  readonly firstPosition: number;
  /** First position of the next segment, where this one ends. */
  readonly endPosition: number;
}

export interface RecoveredSegments {
  /** Those that hold a frame at or above `from`, in order. */
  readonly segments: Segment[];
  /** Paths of others, which could not be removed. */
  readonly leftovers: string[];
  /** Records at or above `from` that were written and cannot be read any more. */
  readonly lost: ReceiverRecords[];
  /** Records of frames from `newerFrom` on, by receiver, those that are lost included. */
  readonly newer: Map<string, number>;
  /** Whether there are damaged places of which it cannot be told what was there. */
  hasDamage: boolean;
}

export async function recoverSegments(options: RecoveryOptions): Promise<RecoveredSegments> {
  const { directory, lane, files, quarantine, from } = options;
  const names = await files.list(directory);
  await quarantine.load(names);
  const segments: Segment[] = [];
  const leftovers: string[] = [];
  const counts: Counts = { lost: [], newer: new Map(), hasDamage: false };
  for (const candidate of candidatesOf(directory, lane, names)) {
    const isPassed = candidate.endPosition <= from;
    const segment = isPassed ? undefined : await recoverSegment(candidate, options, counts);
    if (segment !== undefined && segment.lastPosition >= from) segments.push(segment);
    else if (!(await isDone(files.remove(candidate.path)))) leftovers.push(candidate.path);
  }
  return { segments, leftovers, ...counts };
}

/** Names of the segments of a lane among `names`, with where they begin and end. */
export function candidatesOf(directory: string, lane: string, names: readonly string[]): Candidate[] {
  const found = names
    .map((name) => ({ name, facts: parseSegmentName(name) }))
    .filter(({ facts }) => facts?.lane === lane)
    .map(({ name, facts }) => ({ path: join(directory, name), name, firstPosition: facts?.firstPosition ?? 0 }))
    .sort((a, b) => a.firstPosition - b.firstPosition);
  return found.map((candidate, at) => ({ ...candidate, endPosition: found[at + 1]?.firstPosition ?? Infinity }));
}

/** Undefined where it holds no good frame. */
async function recoverSegment(candidate: Candidate, options: RecoveryOptions, counts: Counts): Promise<Segment | undefined> {
  const file = await options.files.open(candidate.path, 'read');
  try {
    const bytes = await file.size();
    const header = await unlessUnreadable(readSegmentHeader(file, candidate.path));
    const walk = new FrameWalk(file, header === UNREADABLE ? undefined : header?.mark);
    const isNewest = candidate.endPosition === Infinity;
    return await new Scan(candidate, { file, walk, bytes, header, isNewest }, options, counts).run();
  } finally {
    await file.close();
  }
}

const UNREADABLE = Symbol('the disk cannot read it');

async function unlessUnreadable<T>(attempt: Promise<T>): Promise<T | typeof UNREADABLE> {
  try {
    return await attempt;
  } catch (error) {
    if (errnoOf(error) === 'EIO') return UNREADABLE;
    throw error;
  }
}

/** The header of a segment; undefined where it is damaged. Throws a `SluiceError` where it is of a version that is not known. */
export async function readSegmentHeader(file: File, path: string): Promise<SegmentHeader | undefined> {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  await file.read(bytes, 0);
  const header = decodeSegmentHeader(bytes);
  if (header === undefined || header.version === FORMAT_VERSION) return header;
  throw new SluiceError(
    'unsupported',
    `${path} is of version ${header.version} of the spool's format, which this program does not know`,
    {
      hint: 'run the version of Sluice that wrote it until the spool is empty, or move the file away',
    },
  );
}

interface Scanned {
  readonly file: File;
  readonly walk: FrameWalk;
  readonly bytes: number;
  readonly header: SegmentHeader | undefined | typeof UNREADABLE;
  readonly isNewest: boolean;
}

/** A part of a segment, in the order of the file. */
interface Place {
  readonly offset: number;
  readonly bytes: number;
  /** Undefined where it is not a frame, or one whose header is damaged. */
  readonly frame: (ReceiverRecords & { readonly position: number }) | undefined;
  /** Whether it is as long as its prefix says. */
  readonly isWhole: boolean;
}

/** Walks one segment. Of the newest one, what is found waits for a frame behind it that is right in all its parts. */
class Scan {
  readonly #candidate: Candidate;
  readonly #scanned: Scanned;
  readonly #options: RecoveryOptions;
  readonly #counts: Counts;
  readonly #segment: Segment;
  #waiting: Place[] = [];
  #lastPosition = -1;

  constructor(candidate: Candidate, scanned: Scanned, options: RecoveryOptions, counts: Counts) {
    this.#candidate = candidate;
    this.#counts = counts;
    this.#scanned = scanned;
    this.#options = options;
    const { path, firstPosition } = candidate;
    this.#segment = new Segment({ path, firstPosition, bytes: scanned.bytes, mark: undefined });
  }

  /** Undefined where there is no good frame. */
  async run(): Promise<Segment | undefined> {
    const { walk, bytes, header, isNewest } = this.#scanned;
    if (header === undefined) this.#isDamaged(0, Math.min(bytes, SEGMENT_HEADER_BYTES), false);
    const isReadable = header !== UNREADABLE && (await unlessUnreadable(this.#walk())) !== UNREADABLE;
    if (isNewest && isReadable) await this.#cut();
    else await this.#accept();
    if (!isReadable) this.#giveUpRest();
    this.#segment.mark = walk.mark;
    this.#segment.synced();
    return this.#segment.lastPosition === -1 ? undefined : this.#segment;
  }

  get #name(): string {
    return basename(this.#segment.path);
  }

  async #walk(): Promise<void> {
    const { walk, bytes } = this.#scanned;
    for (let step = await walk.next(bytes); step !== undefined; step = await walk.next(bytes)) {
      if (step.kind === 'damage') this.#isDamaged(step.offset, step.bytes, false);
      else if (step.prefix.position >= this.#candidate.endPosition) break;
      else await this.#frame(step.offset, step.prefix);
    }
  }

  /** The file stays until everything that may be in it has been passed: the next start may be able to read it. */
  #giveUpRest(): void {
    const { bytes, walk } = this.#scanned;
    const { firstPosition, endPosition } = this.#candidate;
    const lastPosition = endPosition === Infinity ? firstPosition : endPosition - 1;
    this.#segment.lastPosition = Math.max(this.#segment.lastPosition, lastPosition);
    const { offset } = walk;
    this.#options.events.damaged({ segment: this.#name, offset, bytes: bytes - offset, copy: undefined });
  }

  async #frame(offset: number, prefix: FramePrefix): Promise<void> {
    const { position, records } = prefix;
    const bytes = frameBytes(prefix);
    const header = await this.#scanned.walk.header(offset, prefix);
    if (header === undefined) return this.#isDamaged(offset, bytes, true);
    if (position <= this.#lastPosition) return;
    this.#lastPosition = position;
    this.#waiting.push({ offset, bytes, frame: { position, receiver: header.receiver, records }, isWhole: true });
    if (!this.#scanned.isNewest || (await this.#isPayloadRight(offset, prefix))) await this.#accept();
  }

  #isDamaged(offset: number, bytes: number, isWhole: boolean): void {
    this.#waiting.push({ offset, bytes, frame: undefined, isWhole });
  }

  async #isPayloadRight(offset: number, prefix: FramePrefix): Promise<boolean> {
    const { walk, bytes } = this.#scanned;
    return isPayloadRight(prefix, await walk.read(offset, prefix, bytes, (size) => Buffer.allocUnsafe(size)), 0);
  }

  /** There is a good frame here, so what was found before it stays. A wrong payload among it is for the reader to find. */
  async #accept(): Promise<void> {
    const { quarantine, from } = this.#options;
    for (const { offset, bytes, frame } of this.#waiting.splice(0)) {
      if (frame === undefined) {
        this.#counts.hasDamage = true;
        await quarantine.add(this.#segment, this.#scanned.file, offset, bytes);
        continue;
      }
      const isHeld = frame.position >= from;
      this.#segment.add(frame.position, offset + bytes, frame.receiver, isHeld ? frame.records : 0);
      if (isHeld) this.#count(frame, false);
    }
  }

  #count({ position, receiver, records }: NonNullable<Place['frame']>, isLost: boolean): void {
    const { lost, newer } = this.#counts;
    if (isLost) lost.push({ receiver, records });
    if (position >= this.#options.newerFrom) newer.set(receiver, (newer.get(receiver) ?? 0) + records);
  }

  /** Cuts off what is behind the last good frame. Whole frames in there are copied: they may be damaged rather than torn. */
  async #cut(): Promise<void> {
    const { files, quarantine, events, from } = this.#options;
    const { file, bytes } = this.#scanned;
    for (const { frame, ...place } of this.#waiting) {
      if (place.isWhole) await quarantine.add(this.#segment, file, place.offset, place.bytes);
      if (frame !== undefined && frame.position >= from) this.#count(frame, true);
    }
    const { end, path } = this.#segment;
    if (end === bytes) return;
    events.cut(this.#name, bytes - end);
    // A file that stays longer than what is read of it does no harm.
    if (await isDone(cut(files, path, end))) this.#segment.bytes = end;
  }
}

async function cut(files: FileSystem, path: string, bytes: number): Promise<void> {
  const file = await files.open(path, 'update');
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
}
