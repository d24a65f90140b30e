/** What is said of journals, for people and for programs. */
import { basename, dirname } from 'node:path';
import { count, oneLine, sizeText, table } from '../../../../src/kit/table.ts';
import { problemText } from './place.ts';
import { ageText, totalsOf, verdictOf } from './verdict.ts';
import type { JournalView, Progress, ViewedFile, ViewedSequence } from './view.ts';

export function statusText(view: JournalView): string {
  const { entries, bytes } = totalsOf(view);
  const roots = view.roots.join(' and ');
  const parts = [
    `${verdictOf(view)}\n${roots}: ${entries} ${entries === 1 ? 'entry' : 'entries'} in ${count(view.files.length, 'file')}, ${sizeText(bytes)}\n`,
    ...[...Map.groupBy(view.files, ({ path }) => dirname(path))].map(
      ([directory, files]) => `${oneLine(directory)}:\n${fileTable(files)}`,
    ),
    ...(view.sequences.length === 0 ? [] : [sequenceTable(view.sequences)]),
  ];
  const notes = notesOf(view);
  return [...parts, ...(notes === '' ? [] : [notes])].join('\n');
}

export function statusJson(view: JournalView): unknown {
  const { behindEntries, behindSeconds, missing, gone } = totalsOf(view);
  return {
    verdict: verdictOf(view),
    directories: view.roots,
    receiver: view.receiver && {
      id: view.receiver.id,
      cursor_file: view.receiver.cursorFile,
      problem: view.receiver.problem ?? null,
      behind_entries: behindEntries ?? null,
      behind_seconds: behindSeconds ?? null,
      gone_entries: gone,
    },
    missing_entries: missing,
    files: view.files.map(fileJson),
    sequences: view.sequences.map(sequenceJson),
    problems: Object.fromEntries(view.problems),
  };
}

function fileTable(files: readonly ViewedFile[]): string {
  const rows = files.map((file) => [
    basename(file.path),
    file.state,
    file.entryCount,
    rangeText(file.headSeqnum, file.tailSeqnum),
    timeText(file.headRealtime),
    timeText(file.tailRealtime),
    sizeText(file.bytes),
    file.features.join(' '),
  ]);
  return table(['FILE', 'STATE', 'ENTRIES', 'NUMBERS', 'FROM', 'TO', 'SIZE', 'FEATURES'], rows);
}

function sequenceTable(sequences: readonly ViewedSequence[]): string {
  const hasProgress = sequences.some(({ progress }) => progress !== undefined);
  const rows = sequences.map(({ seqnumId, entryCount, headSeqnum, tailSeqnum, tailRealtime, holes, progress }) => [
    seqnumId,
    entryCount,
    rangeText(headSeqnum, tailSeqnum),
    timeText(tailRealtime),
    holes.reduce((all, { missing }) => all + missing, 0),
    ...(hasProgress ? progressCells(progress) : []),
  ]);
  const headings = ['SEQUENCE', 'ENTRIES', 'NUMBERS', 'TO', 'MISSING'];
  return table([...headings, ...(hasProgress ? ['DELIVERED UP TO', 'ENTRIES BEHIND', 'TIME BEHIND'] : [])], rows);
}

function progressCells(progress: Progress | undefined): (string | number)[] {
  if (progress === undefined) return ['', '', ''];
  const { seqnum, behindEntries, behindSeconds } = progress;
  return [seqnum === undefined ? 'a time' : String(seqnum), behindEntries, behindEntries === 0 ? '' : ageText(behindSeconds)];
}

function notesOf({ files, problems, sequences, receiver }: JournalView): string {
  const notes = [
    ...[...problems].map(([path, reason]) => problemText(path, reason)),
    ...files.flatMap(({ path, problem }) => (problem === undefined ? [] : [problemText(path, problem)])),
    ...sequences.flatMap(({ seqnumId, holes }) =>
      holes.map(
        ({ after, before, missing }) => `${seqnumId}: ${missing} of the numbers between ${after} and ${before} are missing`,
      ),
    ),
    ...(receiver === undefined ? [] : [`positions of ${receiver.id} are in ${receiver.cursorFile}`]),
  ];
  return notes.map((note) => `${oneLine(note)}\n`).join('');
}

function fileJson(file: ViewedFile): unknown {
  const isFilled = file.entryCount > 0;
  return {
    path: file.path,
    bytes: file.bytes,
    state: file.state,
    problem: file.problem ?? null,
    features: file.features,
    seqnum_id: file.seqnumId === '' ? null : file.seqnumId,
    entries: file.entryCount,
    first_seqnum: isFilled ? file.headSeqnum : null,
    last_seqnum: isFilled ? file.tailSeqnum : null,
    first_time: isFilled ? timeText(file.headRealtime) : null,
    last_time: isFilled ? timeText(file.tailRealtime) : null,
  };
}

function sequenceJson({ progress, ...sequence }: ViewedSequence): unknown {
  return {
    seqnum_id: sequence.seqnumId,
    entries: sequence.entryCount,
    first_seqnum: sequence.headSeqnum,
    last_seqnum: sequence.tailSeqnum,
    last_time: timeText(sequence.tailRealtime),
    holes: sequence.holes,
    position:
      progress === undefined
        ? null
        : {
            cursor: progress.cursor,
            seqnum: progress.seqnum ?? null,
            behind_entries: progress.behindEntries,
            behind_seconds: progress.behindSeconds,
            gone_entries: progress.goneEntries,
          },
  };
}

function rangeText(first: number, last: number): string {
  return last === 0 ? '' : `${first}-${last}`;
}

/** The latest time that has a text, in milliseconds. */
const MAX_TIME_MS = 8.64e15;

/** To the second, in UTC; empty where there is none. */
function timeText(micros: number): string {
  const ms = micros / 1000;
  return ms > 0 && ms <= MAX_TIME_MS ? new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z') : '';
}
