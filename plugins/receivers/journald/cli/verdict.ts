/** What there is to know of a journal at a glance. */
import { count } from '../../../../src/kit/table.ts';
import { hasUnknown } from './features.ts';
import { isForbidden } from './place.ts';
import type { JournalView } from './view.ts';

export interface Totals {
  readonly readableFiles: number;
  readonly unreadableFiles: number;
  /** Of the unreadable files, those that only lack a reader that knows their features, and that the receiver leaves to journalctl. */
  readonly leftToJournalctl: number;
  readonly entries: number;
  readonly bytes: number;
  /** Numbers that no file has. */
  readonly missing: number;
  /** Undefined where no position is known. */
  readonly behindEntries: number | undefined;
  readonly behindSeconds: number | undefined;
  /** The most that can have been removed before it was delivered. */
  readonly gone: number;
}

export function totalsOf({ files, sequences, receiver }: JournalView): Totals {
  const unreadable = files.filter(({ state }) => state === 'unreadable');
  const progress = sequences.flatMap((sequence) => sequence.progress ?? []);
  const isKnown = sequences.every((sequence) => sequence.progress !== undefined);
  return {
    readableFiles: files.length - unreadable.length,
    unreadableFiles: unreadable.length,
    leftToJournalctl: receiver?.mayUseJournalctl === true ? unreadable.filter(({ features }) => hasUnknown(features)).length : 0,
    entries: sum(sequences.map(({ entryCount }) => entryCount)),
    bytes: sum(files.map(({ bytes }) => bytes)),
    missing: sum(sequences.flatMap(({ holes }) => holes.map(({ missing }) => missing))),
    behindEntries: isKnown ? sum(progress.map(({ behindEntries }) => behindEntries)) : undefined,
    behindSeconds: isKnown ? Math.max(0, ...progress.map(({ behindSeconds }) => behindSeconds)) : undefined,
    gone: sum(progress.map(({ goneEntries }) => goneEntries)),
  };
}

/** One line. */
export function verdictOf(view: JournalView): string {
  const { readableFiles, unreadableFiles, leftToJournalctl, entries, missing, gone } = totalsOf(view);
  const remarks = [
    unreadableFiles + view.problems.size > 0 ? `${count(unreadableFiles + view.problems.size, 'path')} cannot be read` : '',
    leftToJournalctl > 0
      ? `${count(leftToJournalctl, 'file')} of a newer systemd ${leftToJournalctl === 1 ? 'is' : 'are'} left to journalctl`
      : '',
    gone > 0 ? `up to ${entriesText(gone)} ${gone === 1 ? 'was' : 'were'} removed before delivery` : '',
    missing > 0 ? `${count(missing, 'number')} of entries ${missing === 1 ? 'is' : 'are'} missing between files` : '',
  ].filter((remark) => remark !== '');
  const state =
    readableFiles === 0
      ? 'there is no journal that can be read'
      : view.receiver === undefined
        ? `${entriesText(entries)} can be read`
        : progressText(view);
  return [`${view.receiver === undefined ? 'journal' : view.receiver.id}: ${state}`, ...remarks].join('; ');
}

/** Whether something could not be read because this user may not. */
export function isKeptOut({ files, problems }: JournalView): boolean {
  return [...problems.values(), ...files.flatMap(({ problem }) => problem ?? [])].some(isForbidden);
}

/** `12 s`, `3 min`, `5 h`, `2 d`: as much as matters. */
export function ageText(seconds: number): string {
  if (seconds < 1) return `${Math.ceil(seconds * 1000)} ms`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

function progressText(view: JournalView): string {
  const { behindEntries, behindSeconds, entries } = totalsOf(view);
  if (view.receiver?.problem !== undefined) return view.receiver.problem;
  if (behindEntries === undefined || behindSeconds === undefined) return 'its position is not known';
  if (behindEntries === 0) return `up to date with all of ${entriesText(entries)}`;
  return `${entriesText(behindEntries)} behind, its position is ${ageText(behindSeconds)} older than the newest`;
}

function entriesText(number: number): string {
  return `${number} ${number === 1 ? 'entry' : 'entries'}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}
