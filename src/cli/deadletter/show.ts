/** `sluice deadletter show`: whole letters. */
import type { FileSystem } from '../../core/files.ts';
import { namesOfStore, visitFile } from '../../dead_letters/reading.ts';
import { oneLine, printable } from '../../kit/table.ts';

/** A letter, for people or as the line that it is stored as. */
export interface ShownLetter {
  readonly id: string;
  readonly text: string;
}

/** The letters with these ids, of which a record may have several, the oldest first. Throws the system's error. */
export async function findLetters(
  files: FileSystem,
  directory: string,
  ids: readonly string[],
  isJson: boolean,
): Promise<ShownLetter[]> {
  const found: ShownLetter[] = [];
  for (const name of await namesOfStore(files, directory)) {
    await visitFile(files, directory, name, {
      letter({ id, head, bytes, line }) {
        if (!ids.includes(id)) return;
        const rows = [
          ['id', id],
          ['time', head.time],
          ['reason', head.reason],
          ['detail', head.detail],
          ['destination', head.destination],
          ['attempts', String(head.attempts)],
          ['receiver', head.receiver],
          ['file', name],
        ] as const;
        const text = rows.map(([label, value]) => `${label.padEnd(LABEL_WIDTH)}${oneLine(value)}\n`).join('');
        found.push({
          id,
          text: isJson ? `${bytes.toString()}\n` : `${text}${'line'.padEnd(LABEL_WIDTH)}${printable(line.toString())}\n`,
        });
      },
      unreadable: () => {},
    });
  }
  return found;
}

const LABEL_WIDTH = 'destination'.length + 2;
