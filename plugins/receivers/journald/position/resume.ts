/** Where reading begins: behind what was delivered before, or where the operator wants it the first time. */
import type { Log } from '../../../../src/core/log.ts';
import { type Cursor, seqnumCursor, timeCursor } from '../file/cursor.ts';
import type { JournalDirectories } from '../journal/directories.ts';
import { JournalFile } from '../file/journal_file.ts';
import { Positions } from './positions.ts';

export interface ResumeOptions {
  readonly directories: JournalDirectories;
  /** What was saved, if anything. */
  readonly saved: Positions | undefined;
  /** Where to begin without it. */
  readonly startAt: string;
  /** Microseconds. */
  readonly now: number;
  readonly log: Log;
}

export function resume({ directories, saved, startAt, now, log }: ResumeOptions): Positions {
  const bySequence = Map.groupBy(describeFiles(directories), ({ header }) => header.seqnumId);
  if (saved !== undefined) return check(saved, bySequence, log);
  if (startAt === 'beginning') return new Positions(0);
  const positions = new Positions(now);
  for (const sequence of bySequence.values()) positions.set(tailOf(sequence));
  return positions;
}

/** Compares saved positions with what the journal holds, and says what was made of those that are not there any more. */
function check(saved: Positions, bySequence: ReadonlyMap<string, readonly JournalFile[]>, log: Log): Positions {
  const cursors = saved.cursors;
  for (const cursor of cursors) {
    const files = cursor.seqnumId === undefined ? undefined : bySequence.get(cursor.seqnumId);
    if (files === undefined || cursor.seqnum === undefined || cursor.seqnum === 0) continue;
    const tail = Math.max(...files.map(({ header }) => header.tailSeqnum));
    if (tail < cursor.seqnum) {
      log.warn(
        'the saved position is ahead of the journal, which must have lost entries; going on with what is later by the clock',
        {
          cursor: cursor.text,
          journalEndsAt: tail,
        },
      );
      saved.set(timeCursor(cursor.realtime, cursor.seqnumId));
    } else if (!files.some((file) => hasEntry(file, cursor.seqnum ?? 0))) {
      log.warn('the entry at the saved position is gone from the journal; going on with the nearest later one', {
        cursor: cursor.text,
      });
    }
  }
  const isKnown = cursors.length === 0 || cursors.some(({ seqnumId = '' }) => bySequence.has(seqnumId));
  if (!isKnown && bySequence.size > 0) {
    log.warn('the journal of the saved position is gone; going on with entries of others that are later by the clock', {
      cursor: cursors[0]?.text,
    });
  }
  return saved;
}

function hasEntry(file: JournalFile, seqnum: number): boolean {
  return file.header.headSeqnum <= seqnum && file.header.tailSeqnum >= seqnum && cursorOf(file, seqnum) !== undefined;
}

/** The cursor of the last entry of a sequence. */
function tailOf(files: readonly JournalFile[]): Cursor {
  const last = files.reduce((a, b) => (b.header.tailSeqnum > a.header.tailSeqnum ? b : a));
  const { seqnumId, tailSeqnum, tailRealtime } = last.header;
  return cursorOf(last, tailSeqnum) ?? seqnumCursor(seqnumId, tailSeqnum, tailRealtime);
}

/** The cursor of the file's entry with that number, if it has one. */
function cursorOf(file: JournalFile, seqnum: number): Cursor | undefined {
  try {
    file.reopen();
    file.seekBehindSeqnum(seqnum - 1);
    return file.advance() && file.seqnum === seqnum ? file.cursorAt(file.entryOffset) : undefined;
  } catch {
    // The file was there a moment ago; what became of it will be told when it is to be read.
    return undefined;
  } finally {
    file.close();
  }
}

/** The files that can be read now, closed; why others cannot is told when they are to be read. */
function describeFiles(directories: JournalDirectories): JournalFile[] {
  return directories.list().flatMap(({ path }) => {
    try {
      const file = new JournalFile(path, () => {});
      file.close();
      return [file];
    } catch {
      return [];
    }
  });
}
