/** Opens journal files, and reads the headers of open ones ("Journal File Format", section "Header"). */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { SluiceError } from '../../../../src/core/errors.ts';
import { ARRAY_ITEM_BYTES, ENTRY, type Header, HEADER_BYTES, type HeaderProblem, parseHeader } from './format.ts';
import { readFully } from './windows.ts';

/** What the smallest entry takes: its ENTRY object with one item, and its place in the list of entries. */
const MIN_ENTRY_BYTES = ENTRY.items + 2 * ARRAY_ITEM_BYTES.compact;

/**
 * Opens the journal file at `path`. Throws the system's error, or a `SluiceError` where it is no journal that can be read, or where
 * it is not the one with `fileId`.
 */
export function openJournal(path: string, fileId?: string): { readonly fd: number; readonly header: Header } {
  const fd = openSync(path, 'r');
  const header = readHeader(fd);
  if (typeof header !== 'string' && header.fileId === (fileId ?? header.fileId)) return { fd, header };
  closeSync(fd);
  throw unreadable(path, typeof header === 'string' ? header : 'replaced');
}

/**
 * What the header of an open file says now. That of a live file was sound and `known` when it was opened; where it is not, or of
 * another file, that was a glance at a moment at which it was written, and undefined is returned.
 */
export function rereadHeader(fd: number, known: Header): Header | undefined {
  const header = readHeader(fd);
  if (typeof header === 'string') return undefined;
  const isSame = header.fileId === known.fileId && header.seqnumId === known.seqnumId && header.isCompact === known.isCompact;
  return isSame ? header : undefined;
}

/** Sizes and counts are no larger than the file allows, whatever its header says, so that nothing else need doubt them. */
function readHeader(fd: number): Header | HeaderProblem {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES);
  const header = parseHeader(bytes.subarray(0, readFully(fd, bytes, HEADER_BYTES, 0)));
  if (typeof header === 'string') return header;
  const end = Math.min(header.end, fstatSync(fd).size);
  return { ...header, end, entryCount: Math.min(header.entryCount, Math.floor(end / MIN_ENTRY_BYTES)) };
}

function unreadable(path: string, problem: HeaderProblem | 'replaced'): SluiceError {
  switch (problem) {
    case 'incompatible':
      return new SluiceError('unsupported', `${path} uses a feature of the journal format that is newer than this reader`, {
        hint: 'update the agent, or read that journal with journalctl',
      });
    case 'signature':
      return new SluiceError('state_invalid', `${path} is not a journal file`, { hint: 'move it out of the journal directory' });
    case 'truncated':
      // A file that was created a moment ago has no header yet.
      return new SluiceError('unsupported', `${path} has no complete header`, { transient: true });
    case 'replaced':
      return new SluiceError('path_conflict', `${path} is another file now`, { transient: true });
  }
}

/** Whether nothing is left of the header of a file that had one. */
export function isEmptied(fd: number): boolean {
  const signature = Buffer.alloc(8);
  readFully(fd, signature, signature.length, 0);
  return signature.every((byte) => byte === 0);
}

/** Whether the file has no name any more: it was removed, and is kept only for those who have it open. */
export function isUnlinked(fd: number): boolean {
  return fstatSync(fd).nlink === 0;
}
