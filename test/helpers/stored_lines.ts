/** What receivers have stored of a writer's numbered lines: which of them, under which ids, and how often. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRecord, type ReceiverPlace, type StoredRecord } from './agents.ts';
import { isTailOfLine, numberOf } from './numbered_lines.ts';

export class StoredLines {
  /** Id by number; a line that is not stored has none. */
  readonly ids = new Map<number, string>();
  /** Copies beyond the first of lines that are stored more than once, each with the id of the first. */
  duplicates = 0;
  /** Tails of lines: what a new process reads of a line that the former one had begun to read. */
  readonly tails: string[] = [];

  /** Throws where the record is none that was written, or a line has two ids. */
  add({ wrapper }: StoredRecord): void {
    const [text, id] = [String(wrapper['message']), String(wrapper['id'])];
    const number = numberOf(text);
    if (number === undefined) {
      if (!isTailOfLine(text)) throw new Error(`a record that was not written: ${text}`);
      this.tails.push(text);
      return;
    }
    const known = this.ids.get(number);
    if (known !== undefined && known !== id) throw new Error(`line ${number} has the ids ${known} and ${id}`);
    if (known === undefined) this.ids.set(number, id);
    else this.duplicates += 1;
  }

  /** The runs of numbers below `written` that are not stored: the first of each and how many there are. */
  missing(written: number): { readonly first: number; readonly count: number }[] {
    const runs: { first: number; count: number }[] = [];
    for (let number = 0; number < written; number++) {
      if (this.ids.has(number)) continue;
      const last = runs.at(-1);
      if (last !== undefined && last.first + last.count === number) last.count += 1;
      else runs.push({ first: number, count: 1 });
    }
    return runs;
  }
}

/**
 * The lines of a topic that are stored for a destination: at its own receiver, or at another one with its mark. Throws where a record
 * bears another mark than its place says, or two lines have one id.
 */
export function storedFor(destination: string, receivers: readonly ReceiverPlace[], topic: string): StoredLines {
  const stored = new StoredLines();
  for (const receiver of receivers) {
    const isOwn = receiver.name === destination;
    const mark = isOwn ? undefined : destination;
    for (const record of recordsIn(receiver, isOwn ? topic : `dead-letter.${destination}.${topic}`)) {
      if (record.destination !== mark) throw new Error(`a record at ${receiver.name} bears the mark ${record.destination}`);
      stored.add(record);
    }
  }
  if (new Set(stored.ids.values()).size !== stored.ids.size) throw new Error(`two lines for ${destination} have one id`);
  return stored;
}

/** Like `readTopic`, but one record at a time, since a test may have written a million. */
export function* recordsIn({ directory, name }: ReceiverPlace, topic: string): Iterable<StoredRecord> {
  const file = join(directory, name, 'topics', `${topic}.ndjson`);
  if (!existsSync(file)) return;
  const bytes = readFileSync(file);
  for (let start = 0, end = bytes.indexOf(10); end !== -1; start = end + 1, end = bytes.indexOf(10, start)) {
    yield parseRecord(bytes.toString('utf8', start, end));
  }
}
