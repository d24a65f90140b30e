/** A real journald of the test's own, in a mount namespace, so that the machine's is not disturbed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { waitFor } from '../../../../test/helpers/wait_for.ts';

const JOURNALD = ['/usr/lib/systemd/systemd-journald', '/lib/systemd/systemd-journald'].find((path) => existsSync(path));

/** Why no journald can be started here; false where it can. */
export const withoutJournald: string | false =
  JOURNALD === undefined
    ? 'systemd-journald is not installed'
    : process.getuid?.() !== 0
      ? 'starting a journald takes root'
      : spawnSync('unshare', ['--mount', 'true']).status === 0
        ? false
        : 'mount namespaces are not available';

const CONFIGURATION = `[Journal]
Storage=volatile
RateLimitIntervalSec=0
ReadKMsg=no
Audit=no
`;

/** Puts directories of the test's where journald looks, and becomes it. */
const SCRIPT = `set -e
mount --make-rprivate /
mkdir -p /run/log /run/systemd /var/log
mount --bind "$1/log" /run/log
mount --bind "$1/var" /var/log
mount --bind "$1/systemd" /run/systemd
touch /etc/systemd/journald.conf
mount --bind "$1/journald.conf" /etc/systemd/journald.conf
if [ -e "$1/boot_id" ]; then mount --bind "$1/boot_id" /proc/sys/kernel/random/boot_id; fi
exec "$2"`;

/** On a machine that is busy with other things. */
const DEADLINE_MS = 20_000;

/** journald(8): asks it to write everything to its files; it answers by touching a file, after whatever else it has to do. */
const SIGRTMIN_1 = 35;

/** Of the mask in /proc/PID/status. */
const SIGUSR2_BIT = 1n << 11n;

export interface JournaldSetup {
  /** Lines for journald.conf(5), behind those that keep it from limiting rates and from reading the machine's kernel log. */
  readonly configuration?: readonly string[];
  /** Further environment. */
  readonly env?: NodeJS.ProcessEnv;
}

export async function startJournald(root: string, setup: JournaldSetup = {}): Promise<RunningJournald> {
  const [log, systemd] = [join(root, 'log'), join(root, 'systemd')];
  mkdirSync(join(log, 'journal'), { recursive: true });
  mkdirSync(join(systemd, 'journal'), { recursive: true });
  mkdirSync(join(root, 'var'), { recursive: true });
  writeFileSync(
    join(root, 'journald.conf'),
    `${CONFIGURATION}${(setup.configuration ?? []).map((line) => `${line}\n`).join('')}`,
  );
  const journald = new RunningJournald(root, { ...process.env, ...setup.env });
  await journald.start();
  return journald;
}

export class RunningJournald {
  /** Holds a directory for the machine, with the files. */
  readonly directory: string;
  /** Where it keeps files for good, with `Storage=auto` as soon as it exists and `flush` was called, with `persistent` at once. */
  readonly persistentDirectory: string;
  /** Where services' standard output goes (`openStream`), and entries field by field (`NativeSocket`). */
  readonly sockets: { readonly stdout: string; readonly native: string };
  readonly #root: string;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #stream: Promise<Socket> | undefined;

  constructor(root: string, env: NodeJS.ProcessEnv) {
    this.#root = root;
    this.#env = env;
    this.directory = join(root, 'log/journal');
    this.persistentDirectory = join(root, 'var/journal');
    this.sockets = { stdout: join(root, 'systemd/journal/stdout'), native: join(root, 'systemd/journal/socket') };
  }

  /** Starts it, for the first time or again after `stop`, and resolves when it takes entries and signals. */
  async start(): Promise<void> {
    if (JOURNALD === undefined) throw new Error('systemd-journald is not installed');
    const args = ['--mount', 'bash', '-c', SCRIPT, 'journald', this.#root, JOURNALD];
    const child = spawn('unshare', args, { env: this.#env, stdio: ['ignore', 'ignore', 'inherit'] });
    this.#child = child;
    // It opens its sockets before it blocks the signals that it handles itself; until then, one of them would end it.
    await waitFor(() => child.exitCode !== null || isBlocking(child.pid ?? 0), {
      what: 'journald to start',
      deadlineMs: DEADLINE_MS,
    });
    if (child.exitCode !== null) throw new Error(`journald ended with ${child.exitCode}`);
  }

  /** A program, with its arguments, that starts another one where this journald is the machine's. */
  get within(): readonly string[] {
    if (this.#child?.pid === undefined) throw new Error('there is no journald');
    return ['nsenter', `--mount=/proc/${this.#child.pid}/ns/mnt`];
  }

  /** Writes lines as a service's standard output. */
  async write(lines: readonly string[]): Promise<void> {
    this.#stream ??= openStream(this.sockets.stdout, 'sluice-test');
    const stream = await this.#stream;
    await new Promise<void>((resolve) => stream.write(lines.map((line) => `${line}\n`).join(''), () => resolve()));
  }

  /** Archives the file that is written to, and begins a new one. */
  rotate(): void {
    this.#child?.kill('SIGUSR2');
  }

  /** Resolves when everything that was written before is in the files. */
  async sync(): Promise<void> {
    const answer = join(this.#root, 'systemd/journal/synced');
    rmSync(answer, { force: true });
    // A child's own `kill` knows signals with names only.
    if (this.#child?.pid !== undefined) process.kill(this.#child.pid, SIGRTMIN_1);
    await waitFor(() => existsSync(answer), { what: 'journald to sync', deadlineMs: DEADLINE_MS });
  }

  /** Removes archived files until there are so many files at most. */
  vacuum(files: number, directory = this.directory): void {
    run('journalctl', '--directory', directory, `--vacuum-files=${files}`);
  }

  /**
   * Copies what is in the runtime files to the persistent ones, and goes on there. The runtime files are removed if the root is on a
   * file system in memory (`/dev/shm`).
   */
  flush(): void {
    run(...this.within, 'journalctl', '--flush');
  }

  /** Goes on in runtime files. */
  relinquish(): void {
    run(...this.within, 'journalctl', '--relinquish-var');
  }

  /** From the next start on the boot has this id (32 hexadecimal digits). */
  setBootId(id: string): void {
    const uuid = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    writeFileSync(join(this.#root, 'boot_id'), `${uuid}\n`);
  }

  /** Ends it, and every stream to it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    (await this.#stream)?.destroy();
    this.#stream = undefined;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

function run(...command: readonly string[]): void {
  const [program = '', ...args] = command;
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} failed: ${stderr}`);
}

function isBlocking(pid: number): boolean {
  const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : '';
  const [, mask = '0'] = /^SigBlk:\s+([0-9a-f]+)$/m.exec(status) ?? [];
  return (BigInt(`0x${mask}`) & SIGUSR2_BIT) !== 0n;
}

/** Connects as systemd does for a service: identifier, unit, priority, and four switches, a line each (sd_journal_stream_fd(3)). */
export async function openStream(path: string, identifier: string): Promise<Socket> {
  // journald shuts its side down at once, as it has nothing to say.
  const stream = connect({ path, allowHalfOpen: true });
  await once(stream, 'connect');
  stream.write(`${identifier}\n\n6\n0\n0\n0\n0\n`);
  return stream;
}
