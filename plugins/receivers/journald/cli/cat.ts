/** `sluice journal cat`: prints entries. */
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../../../src/core/clock.ts';
import { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import type { PluginTerminal } from '../../../../src/kit/commands.ts';
import { count } from '../../../../src/kit/table.ts';
import { Alarm } from '../alarm.ts';
import { DirectoryWatch } from '../journal/directory_watch.ts';
import type { JournalDirectories } from '../journal/directories.ts';
import { Journal } from '../journal/journal.ts';
import { Positions } from '../position/positions.ts';
import { type CatFlags, type CatRequest, type Output, requestOf } from './cat_flags.ts';
import { DamageCount } from './damage.ts';
import { ExportFormat } from './export_format.ts';
import type { EntryFormat } from './format.ts';
import { JsonFormat } from './json_format.ts';
import { findNewest } from './newest.ts';
import { checkReadable, directoriesOf, isForbidden, PERMISSION_HINT, problemText } from './place.ts';
import { SelectedEntries } from './selected_entries.ts';
import { TextFormat } from './text_format.ts';

/** Output is written in pieces of about this size; one of them is in memory at a time. */
const CHUNK_BYTES = 256 * 1024;

/** How often new entries are looked for, and directories are listed although they seem unchanged. */
const POLL_MS = 100;
const SOON_MS = 10;
const LIST_AGAIN_MS = 10_000;

export async function cat(matches: readonly string[], flags: CatFlags, terminal: PluginTerminal): Promise<void> {
  const request = requestOf(matches, flags, systemClock.wallMicros());
  await new Printing(directoriesOf(flags), request, terminal).run();
}

class Printing {
  readonly #directories: JournalDirectories;
  readonly #request: CatRequest;
  readonly #terminal: PluginTerminal;
  readonly #format: EntryFormat;
  readonly #journal: Journal;
  readonly #entries: SelectedEntries;
  readonly #damage = new DamageCount();
  readonly #out = new ByteWriter(CHUNK_BYTES + 4096);
  #skip: number;
  #left: number;

  constructor(directories: JournalDirectories, request: CatRequest, terminal: PluginTerminal) {
    this.#directories = directories;
    this.#request = request;
    this.#terminal = terminal;
    this.#format = formatOf(request.output, request.withSeqnum);
    const { positions, skip } =
      request.newest === undefined
        ? { positions: positionsOf(request), skip: 0 }
        : findNewest(directories, request.newest, request);
    const onDamage = (reason: string, path?: string): void => this.#damage.add(reason, path);
    this.#journal = new Journal(directories, positions, onDamage);
    const { selection, untilMicros } = request;
    this.#entries = new SelectedEntries(this.#journal, { selection, untilMicros, encoder: this.#format, onDamage });
    this.#skip = skip;
    this.#left = request.limit;
  }

  async run(): Promise<void> {
    try {
      this.#journal.refresh(true);
      checkReadable(this.#directories, this.#journal);
      this.#reportProblems();
      const isOver = await this.#drain();
      if (this.#request.isFollowing && !isOver) await this.#follow();
    } finally {
      this.#journal.close();
    }
    const damage = this.#damage.toString();
    if (damage !== '') this.#say(`parts of the journal are damaged and were left out: ${damage}`);
  }

  /** Prints what there is to be read now; true where no more will be wanted. */
  async #drain(): Promise<boolean> {
    for (;;) {
      const found = this.#entries.next();
      if (found === 'more') await setImmediate();
      else if (found === 'none' || found === 'over') {
        await this.#flush();
        return found === 'over';
      } else if (this.#skip > 0) this.#skip -= 1;
      else {
        this.#format.write(this.#out, this.#entries.head, found);
        this.#left -= 1;
        if (this.#out.length >= CHUNK_BYTES || this.#left === 0) await this.#flush();
        if (this.#left === 0) return true;
      }
    }
  }

  async #follow(): Promise<void> {
    const stop = this.#terminal.stopSignal();
    const alarm = new Alarm(systemClock);
    const watch = new DirectoryWatch(() => alarm.ring());
    stop.addEventListener('abort', () => alarm.switchOff());
    let listedMs = systemClock.monotonicMs();
    try {
      while (!stop.aborted) {
        watch.follow(this.#directories.present);
        await alarm.wait(POLL_MS, SOON_MS);
        const mustList = systemClock.monotonicMs() - listedMs >= LIST_AGAIN_MS;
        if (mustList) listedMs = systemClock.monotonicMs();
        this.#journal.refresh(mustList);
        if (await this.#drain()) return;
      }
    } finally {
      watch.close();
    }
  }

  async #flush(): Promise<void> {
    if (this.#out.length === 0) return;
    await this.#terminal.stdout.send(this.#out.written());
    this.#out.length = 0;
  }

  #reportProblems(): void {
    const problems = [...this.#journal.problems];
    const forbidden = problems.filter(([, reason]) => isForbidden(reason)).length;
    if (forbidden > 0)
      this.#say(
        `${count(forbidden, 'path')} may not be read by this user and ${forbidden === 1 ? 'is' : 'are'} left out; ${PERMISSION_HINT}`,
      );
    for (const [path, reason] of problems) if (!isForbidden(reason)) this.#say(`left out: ${problemText(path, reason)}`);
  }

  #say(text: string): void {
    this.#terminal.stderr.write(`sluice: ${text}\n`);
  }
}

function positionsOf({ after }: CatRequest): Positions {
  const positions = new Positions(after?.realtime ?? 0);
  if (after !== undefined) positions.set(after);
  return positions;
}

function formatOf(output: Output, withSeqnum: boolean): EntryFormat {
  switch (output) {
    case 'export':
      return new ExportFormat(withSeqnum);
    case 'json':
      return new JsonFormat(withSeqnum);
    case 'text':
      return new TextFormat();
  }
}
