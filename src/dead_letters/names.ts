/**
 * The directory of a store, and who may do what in it:
 *
 *     20261120T070000.123456Z.ndjson        a closed file: letters, one a line. Never written to again; a command may replace it
 *                                           as a whole (by renaming another over it) or remove it, the agent may remove it.
 *     20261120T071500.000000Z.open.ndjson   the file that is being written. It belongs to whoever holds agent.lock.
 *     20261120T070000.123456Z.tmp           what a command is writing, in the store or in replay/. It belongs to whoever holds edit.lock.
 *     replay/20261120T080000.000000Z.log-a.ndjson   letters on their way back, all of one destination. The agent sends them and
 *                                           removes the file once they have arrived.
 *     request                               a command asks the agent to close its file and to look at the directory anew; the agent
 *                                           removes it when it has.
 *     agent.lock                            held by the agent as long as it runs; where none does, for a moment by a command.
 *     edit.lock                             held by a command that changes something: one at a time.
 *
 * So the agent never waits for a command, and a command that was stopped half-way holds nobody up. At no point is a letter in no file:
 * letters are moved by writing them to the new place, syncing it, and only then removing them from the old one.
 *
 * A file is named by the time at which it was begun, and the times of one store only grow, so names sort by age.
 */
import { join } from 'node:path';

const CLOSED = /^\d{8}T\d{6}\.\d{6}Z\.ndjson$/;
const OPEN = /^\d{8}T\d{6}\.\d{6}Z\.open\.ndjson$/;
const LETTERS = /\.ndjson$/;
const TEMPORARY = /\.tmp$/;
const STAMP_LENGTH = '20261120T070000.123456Z'.length;

export function inboxOf(directory: string): string {
  return join(directory, 'replay');
}

export function requestOf(directory: string): string {
  return join(directory, 'request');
}

export function agentLockOf(directory: string): string {
  return join(directory, 'agent.lock');
}

export function editLockOf(directory: string): string {
  return join(directory, 'edit.lock');
}

export function isClosedName(name: string): boolean {
  return CLOSED.test(name);
}

export function isOpenName(name: string): boolean {
  return OPEN.test(name);
}

/** Whether a file in the inbox is one of letters. */
export function isInboxName(name: string): boolean {
  return LETTERS.test(name);
}

export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

/** The time, in microseconds, by which a file is named. */
export function timeOfName(name: string): number {
  const [, year, month, day, hour, minute, second, micros] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)\.(\d{6})Z/.exec(name)?.map(Number) ?? [];
  if (year === undefined || month === undefined) return 0;
  return Date.UTC(year, month - 1, day, hour, minute, second) * 1000 + (micros ?? 0);
}

/** `20261120T070000.123456Z`: the basic form of ISO 8601, since colons are awkward in names of files. */
export function stampOf(micros: number): string {
  const seconds = Math.floor(micros / 1e6);
  const text = new Date(seconds * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `${text}.${String(micros - seconds * 1e6).padStart(6, '0')}Z`;
}

export function closedName(micros: number): string {
  return `${stampOf(micros)}.ndjson`;
}

export function openName(micros: number): string {
  return `${stampOf(micros)}.open.ndjson`;
}

export function temporaryName(micros: number): string {
  return `${stampOf(micros)}.tmp`;
}

/** A file of the inbox; the destination is encoded, since it may have a slash. */
export function inboxName(micros: number, destination: string): string {
  return `${stampOf(micros)}.${encodeURIComponent(destination)}.ndjson`;
}

/** What the inbox files of one destination have in common and those of others have not. */
export function laneOfInboxName(name: string): string {
  return name.slice(STAMP_LENGTH);
}
