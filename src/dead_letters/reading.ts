/** Reads the letters of a store from outside, while an agent may be writing there. */
import { join } from 'node:path';
import { errnoOf } from '../core/errors.ts';
import type { File, FileSystem } from '../core/files.ts';
import type { LetterHead } from './letter.ts';
import { LetterReader } from './letter_reader.ts';
import { readLines } from './lines.ts';
import { closedName, isClosedName, isInboxName, isOpenName, timeOfName } from './names.ts';

export interface Letter {
  readonly head: LetterHead;
  /** Id of the record; empty where it has none. */
  readonly id: string;
  /** When it became a letter, in microseconds; 0 where that cannot be read. */
  readonly timeMicros: number;
  /** The letter itself, without its newline. Valid until the visit ends. */
  readonly bytes: Buffer;
  /** The record, a cfjs1 line. Likewise. */
  readonly line: Buffer;
}

export interface LineVisitor {
  letter(letter: Letter): void;
  /** A line that is no letter, without its newline. */
  unreadable(bytes: Buffer, problem: string): void;
}

/** Names of the files of a store, the oldest first. Throws the system's error. */
export async function namesOfStore(files: FileSystem, directory: string): Promise<string[]> {
  return (await files.list(directory)).filter((name) => isClosedName(name) || isOpenName(name)).sort();
}

/** Names of the files that wait in an inbox; none where there is no inbox. */
export async function namesOfInbox(files: FileSystem, inbox: string): Promise<string[]> {
  try {
    return (await files.list(inbox)).filter(isInboxName).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** One for all files, since it is worth more than most of them. */
let reader: LetterReader | undefined;

/** Visits the lines of one file in order; none where it has gone since it was listed. Returns its size in bytes. */
export async function visitFile(files: FileSystem, directory: string, name: string, visitor: LineVisitor): Promise<number> {
  const file = await openListed(files, directory, name);
  if (file === undefined) return 0;
  reader ??= new LetterReader();
  try {
    for await (const piece of readLines(file)) {
      reader.read(piece, {
        letter: ({ start, end, head, lineStart, lineEnd }) => {
          const line = piece.subarray(lineStart, lineEnd);
          const timeMicros = (Date.parse(head.time) || 0) * 1000;
          visitor.letter({ head, id: idOf(line), timeMicros, bytes: piece.subarray(start, end), line });
        },
        unreadable: (start, end, problem) => visitor.unreadable(piece.subarray(start, end), problem),
      });
    }
    return await file.size();
  } finally {
    await file.close();
  }
}

/** A file may have been closed, and so renamed, or removed since it was listed. */
async function openListed(files: FileSystem, directory: string, name: string): Promise<File | undefined> {
  const names = isOpenName(name) ? [name, closedName(timeOfName(name))] : [name];
  for (const candidate of names) {
    try {
      return await files.open(join(directory, candidate), 'read');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
  return undefined;
}

function idOf(line: Buffer): string {
  const parsed: unknown = JSON.parse(line.toString('utf8'));
  const format = memberOf(parsed, 'format');
  const id = typeof format === 'string' ? memberOf(memberOf(parsed, format), 'id') : undefined;
  return typeof id === 'string' ? id : '';
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
