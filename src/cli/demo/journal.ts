/** Whether the host's journal can be read, told before the agent is configured to. */
import { accessSync, constants, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where journald keeps its files, on disk and in memory (journald.conf(5), `Storage=`); each has a folder for each machine id. */
const JOURNAL_DIRECTORIES = ['/var/log/journal', '/run/log/journal'];

export interface JournalAccess {
  readonly isReadable: boolean;
  /** Why not, as the end of a sentence; empty where it is. */
  readonly reason: string;
}

export function findJournal(directories: readonly string[] = JOURNAL_DIRECTORIES): JournalAccess {
  const files = directories.flatMap((directory) => foldersIn(directory)).flatMap((folder) => journalFilesIn(folder));
  if (files.length === 0) return { isReadable: false, reason: 'this host has no journal files that could be seen' };
  if (files.some((file) => mayRead(file))) return { isReadable: true, reason: '' };
  return {
    isReadable: false,
    reason: 'this user may not read its files (members of the group systemd-journal may)',
  };
}

function foldersIn(directory: string): string[] {
  return list(directory).map((name) => join(directory, name));
}

function journalFilesIn(folder: string): string[] {
  return list(folder)
    .filter((name) => name.endsWith('.journal'))
    .map((name) => join(folder, name));
}

/** Names in a directory; none where it is missing, closed to us or no directory. */
function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function mayRead(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
