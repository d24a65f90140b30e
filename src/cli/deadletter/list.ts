/** `sluice deadletter ls`: how many letters there are of which kind, and the youngest of them. */
import { join } from 'node:path';
import type { FileSystem } from '../../core/files.ts';
import { inboxOf } from '../../dead_letters/names.ts';
import { type Letter, namesOfInbox, namesOfStore, visitFile } from '../../dead_letters/reading.ts';
import { isSelected, type Selection } from '../../dead_letters/selection.ts';
import { count, sizeText, table } from '../../kit/table.ts';

export interface Listing {
  readonly directory: string;
  /** All that were chosen. */
  readonly letters: number;
  /** Size of all files, of letters that were not chosen too. */
  readonly bytes: number;
  /** Those that were chosen, by what they have in common; the most first. */
  readonly groups: readonly ListingGroup[];
  /** The youngest, the oldest of them first. */
  readonly youngest: readonly ListedLetter[];
  /** Letters that are on their way back, and are not counted above. */
  readonly waitingForReplay: number;
  /** Lines in the files that are no letters. */
  readonly unreadableLines: number;
}

interface ListingGroup {
  readonly reason: string;
  readonly destination: string;
  readonly receiver: string;
  letters: number;
}

type ListedLetter = Letter['head'] & { readonly id: string };

/** Reads a whole store; keeps no more than `limit` letters of it in memory. Throws the system's error. */
export async function listLetters(files: FileSystem, directory: string, selection: Selection, limit: number): Promise<Listing> {
  const groups = new Map<string, ListingGroup>();
  const youngest: ListedLetter[] = [];
  let [letters, bytes, unreadableLines, waitingForReplay] = [0, 0, 0, 0];
  for (const name of await namesOfStore(files, directory)) {
    bytes += await visitFile(files, directory, name, {
      letter(letter) {
        if (!isSelected(letter, selection)) return;
        const { reason, destination, receiver } = letter.head;
        const key = JSON.stringify([reason, destination, receiver]);
        const group = groups.get(key) ?? { reason, destination, receiver, letters: 0 };
        groups.set(key, group);
        group.letters += 1;
        letters += 1;
        youngest.push({ ...letter.head, id: letter.id });
        if (youngest.length > limit) youngest.shift();
      },
      unreadable: () => void (unreadableLines += 1),
    });
  }
  const inbox = inboxOf(directory);
  for (const name of await namesOfInbox(files, inbox)) {
    const countLetter = (): void => void (waitingForReplay += 1);
    await visitFile(files, inbox, name, { letter: countLetter, unreadable: () => {} });
  }
  const sorted = [...groups.values()].sort((a, b) => b.letters - a.letters);
  return { directory, letters, bytes, groups: sorted, youngest, waitingForReplay, unreadableLines };
}

/** The listing for programs. */
export function listingJson({ waitingForReplay, unreadableLines, ...listing }: Listing): unknown {
  return { ...listing, waiting_for_replay: waitingForReplay, unreadable_lines: unreadableLines };
}

/** The listing for people. */
export function listingText({ directory, letters, bytes, groups, youngest, ...rest }: Listing): string {
  const parts = [
    letters === 0
      ? `no dead letters in ${directory}\n`
      : `${count(letters, 'dead letter')} in ${directory} (${sizeText(bytes)})\n`,
  ];
  if (groups.length > 0) {
    const rows = groups.map((group) => [group.letters, group.reason, group.destination, group.receiver]);
    parts.push(table(['letters', 'reason', 'destination', 'receiver'], rows));
  }
  if (youngest.length > 0) {
    const rows = youngest.map((head) => [
      secondOf(head.time),
      head.id,
      head.reason,
      head.destination,
      head.attempts,
      head.detail,
    ]);
    parts.push(table(['time', 'id', 'reason', 'destination', 'attempts', 'detail'], rows));
  }
  const notes = notesOf(directory, letters - youngest.length, rest);
  if (notes.length > 0) parts.push(notes.join(''));
  return parts.join('\n');
}

function notesOf(
  directory: string,
  older: number,
  { waitingForReplay, unreadableLines }: Pick<Listing, 'waitingForReplay' | 'unreadableLines'>,
): string[] {
  return [
    older > 0 ? `${older} older ${older === 1 ? 'one is' : 'ones are'} not shown; --limit shows more\n` : '',
    waitingForReplay > 0
      ? `${count(waitingForReplay, 'more letter')} in ${join(inboxOf(directory), '/')} ${waitingForReplay === 1 ? 'waits' : 'wait'} to be sent again\n`
      : '',
    unreadableLines > 0
      ? `${count(unreadableLines, 'line')} in these files ${unreadableLines === 1 ? 'is no letter' : 'are no letters'} and left alone\n`
      : '',
  ].filter((note) => note !== '');
}

/** `2026-11-20T07:00:00.123456Z` without its fraction. */
function secondOf(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}
