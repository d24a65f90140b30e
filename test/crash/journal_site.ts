/** A real journald under load, an agent that reads it, a receiver, and what was ever in the journal's files. */
import { existsSync, globSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, unlinkSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { type RunningJournald, startJournald } from '../../plugins/receivers/journald/testdata/journald.ts';
import { ServiceLoad } from '../../plugins/receivers/journald/testdata/service_load.ts';
import { readWithSystemd } from '../../plugins/receivers/journald/testdata/systemd.ts';
import {
  type AgentSettings,
  type Options,
  type Running,
  type RunningReceiver,
  scrape,
  startAgent,
  startReceiver,
} from '../helpers/agents.ts';
import { recordsIn } from '../helpers/stored_lines.ts';
import { temporaryDirectory } from '../helpers/temporary_directory.ts';

const TOPIC = 'journal';

/** `system@<seqnum id>-<first seqnum>-<first time>.journal`, as journald names what it has archived. */
const ARCHIVED = /@([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{16}\.journal$/;

/** What a journal file begins with; one that journald was killed in the making of has less. */
const SIGNATURE = 'LPKSHHRH';

export class JournalSite {
  readonly journald: RunningJournald;
  readonly load: ServiceLoad;
  receiver: RunningReceiver;
  agent: Running;
  readonly #agents: Running[];
  /** What the agents that run no more could not read. */
  #former: Readonly<Record<string, number>> = {};
  readonly #t: Test;
  readonly #settings: AgentSettings;
  /** Holds a link to every file that ever was in the journal, by its inode. */
  readonly #kept: string;

  private constructor(
    t: Test,
    journald: RunningJournald,
    load: ServiceLoad,
    receiver: RunningReceiver,
    settings: AgentSettings,
    agent: Running,
  ) {
    this.#t = t;
    this.journald = journald;
    this.load = load;
    this.receiver = receiver;
    this.#settings = settings;
    this.agent = agent;
    this.#agents = [agent];
    this.#kept = join(settings.directory, 'kept');
    mkdirSync(this.#kept);
  }

  static async start(t: Test, entriesPerSecond: number, options: Options = {}): Promise<JournalSite> {
    const directory = temporaryDirectory(t);
    const journald = await startJournald(directory);
    t.teardown(() => journald.stop());
    const receiver = await startReceiver(t, { directory, name: 'log-a' });
    const settings = {
      directory,
      receivers: { journald: { directory: journald.directory, start_at: 'beginning', ...options } },
      destinations: [receiver],
    };
    const agent = await startAgent(t, settings);
    const load = new ServiceLoad(journald, entriesPerSecond);
    t.teardown(() => load.close());
    return new JournalSite(t, journald, load, receiver, settings, agent);
  }

  /** Ends the agent; with SIGKILL in the middle of whatever it does. */
  async endAgent(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#former = await this.unread();
    await this.agent.process.end(signal);
  }

  async startAgent(): Promise<void> {
    this.agent = await startAgent(this.#t, this.#settings);
    this.#agents.push(this.agent);
  }

  /** Freezes the receiver, and kills it in the end, with all that it was sent in that time. */
  async killReceiver(frozenMs: number): Promise<void> {
    this.receiver.process.signal('SIGSTOP');
    await delay(frozenMs);
    await this.receiver.process.end('SIGKILL');
  }

  async startReceiver(): Promise<void> {
    this.receiver = await startReceiver(this.#t, this.receiver);
  }

  /** How many entries and parts of entries the agents say that they could not read, by metric and reason. */
  async unread(): Promise<Readonly<Record<string, number>>> {
    const unread = { ...this.#former };
    for (const { name, labels, value } of (await scrape(this.agent)).samples) {
      const [, what] = /^sluice_journald_(lost_entries|unreadable_objects)_total$/.exec(name) ?? [];
      const key = `${what} ${labels['reason']}`;
      if (what !== undefined && value > 0) unread[key] = (unread[key] ?? 0) + value;
    }
    return unread;
  }

  /** What the agents' journald receivers have warned of, or worse. */
  get warnings(): string[] {
    const lines = this.#agents.flatMap(({ process }) => process.log).filter(({ component }) => component === 'journald');
    return lines.filter(({ level }) => level !== 'info' && level !== 'debug').map((line) => JSON.stringify(line));
  }

  /** Makes the agent list the journal's files now, and not seconds later. */
  touch(): void {
    const now = new Date();
    for (const path of new Set(this.#files().map((file) => dirname(file)))) utimesSync(path, now, now);
  }

  /** Sees to it that what is in the journal now can be told at the end. */
  #keepFiles(): void {
    for (const path of this.#files()) {
      // One that is being renamed at this moment is found the next time.
      const inode = statSync(path, { throwIfNoEntry: false })?.ino;
      const copy = join(this.#kept, `${inode}.journal`);
      if (inode !== undefined && !existsSync(copy)) linkSync(path, copy);
    }
  }

  /** Removes archived files, as journald does, of which the agent has delivered all. Returns how many there were. */
  vacuumRead(): number {
    const archived = this.#archived();
    const read = archived.filter(({ seqnumId }, index) => {
      // The first entry of the next file tells where a file ends.
      const next = archived[index + 1];
      return next?.seqnumId === seqnumId && next.first <= this.positionIn(seqnumId) + 1;
    });
    return this.#remove(read);
  }

  /** Removes so many of the oldest archived files, whatever has become of their entries. */
  vacuumOldest(count: number): number {
    return this.#remove(this.#archived().slice(0, count));
  }

  #remove(files: readonly { readonly path: string }[]): number {
    this.#keepFiles();
    for (const { path } of files) unlinkSync(path);
    return files.length;
  }

  /** Each with its sequence and the number of its first entry; those of a sequence in the order in which they were written. */
  #archived(): { readonly path: string; readonly seqnumId: string; readonly first: number }[] {
    const files = this.#files().flatMap((path) => {
      const [, seqnumId, first] = ARCHIVED.exec(path) ?? [];
      return seqnumId === undefined || first === undefined ? [] : [{ path, seqnumId, first: Number.parseInt(first, 16) }];
    });
    return files.sort((a, b) => (a.seqnumId === b.seqnumId ? a.first - b.first : a.seqnumId < b.seqnumId ? -1 : 1));
  }

  /** Message by id of all entries that ever were in the journal's files. */
  async entries(): Promise<Map<string, string>> {
    this.#keepFiles();
    const files = readdirSync(this.#kept)
      .map((name) => join(this.#kept, name))
      .filter((path) => readFileSync(path).toString('latin1', 0, SIGNATURE.length) === SIGNATURE);
    const entries = new Map<string, string>();
    for await (const entry of readWithSystemd(files, ['MESSAGE'])) {
      const fields = new Map(entry.map(([name, value]) => [name, value.toString()]));
      const [, seqnumId, seqnum = '', boot] =
        /^s=([0-9a-f]+);i=([0-9a-f]+);b=([0-9a-f]{8})/.exec(fields.get('__CURSOR') ?? '') ?? [];
      entries.set(`${seqnumId}.${boot}-${Number.parseInt(seqnum, 16)}`, fields.get('MESSAGE') ?? '');
    }
    return entries;
  }

  /** What the receiver has stored, in its order. */
  *stored(): Iterable<{ readonly id: string; readonly message: string }> {
    for (const { wrapper } of recordsIn(this.receiver, TOPIC))
      yield { id: String(wrapper['id']), message: String(wrapper['message']) };
  }

  /** Up to which number of a sequence the agent has saved that everything is delivered; 0 where it has nothing of it. */
  positionIn(seqnumId: string): number {
    const [file] = globSync('agent/state/**/cursor', { cwd: this.#settings.directory });
    const text = file === undefined ? '' : readFileSync(join(this.#settings.directory, file), 'utf8');
    const [, seqnum = '0'] = new RegExp(`^s=${seqnumId};i=([0-9a-f]+)`, 'm').exec(text) ?? [];
    return Number.parseInt(seqnum, 16);
  }

  #files(): string[] {
    return globSync('*/*.journal{,~}', { cwd: this.journald.directory }).map((name) => join(this.journald.directory, name));
  }
}
