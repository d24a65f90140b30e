/** A real journald of the test's own, in a mount namespace, so that the machine's is not disturbed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import { readJournal } from './read_journal.ts';

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
mkdir -p /run/log /run/systemd
mount --bind "$1/log" /run/log
mount --bind "$1/systemd" /run/systemd
touch /etc/systemd/journald.conf
mount --bind "$1/journald.conf" /etc/systemd/journald.conf
exec "$2"`;

export interface RunningJournald {
  /** Holds a directory for the machine, with the files. */
  readonly directory: string;
  /** Writes lines as a service's standard output. */
  write(lines: readonly string[]): Promise<void>;
  /** Archives the file that is written to, and begins a new one. */
  rotate(): void;
  stop(): Promise<void>;
}

export async function startJournald(root: string): Promise<RunningJournald> {
  if (JOURNALD === undefined) throw new Error('systemd-journald is not installed');
  const [log, systemd] = [join(root, 'log'), join(root, 'systemd')];
  mkdirSync(join(log, 'journal'), { recursive: true });
  mkdirSync(join(systemd, 'journal'), { recursive: true });
  writeFileSync(join(root, 'journald.conf'), CONFIGURATION);
  const child = spawn('unshare', ['--mount', 'bash', '-c', SCRIPT, 'journald', root, JOURNALD], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  const directory = join(log, 'journal');
  // It writes an entry when it is ready, and not only listening; a signal before that would end it.
  await waitFor(() => readJournal(directory).records.length > 0, { what: 'journald to start', deadlineMs: 20_000 });
  const stream = await openStream(join(systemd, 'journal/stdout'));
  return {
    directory,
    write: (lines) => new Promise((resolve) => stream.write(lines.map((line) => `${line}\n`).join(''), () => resolve())),
    rotate: () => child.kill('SIGUSR2'),
    async stop() {
      stream.destroy();
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Connects as systemd does for a service: identifier, unit, priority, and four switches, a line each (sd_journal_stream_fd(3)). */
async function openStream(path: string): Promise<Socket> {
  // journald shuts its side down at once, as it has nothing to say.
  const stream = connect({ path, allowHalfOpen: true });
  await once(stream, 'connect');
  stream.write('sluice-test\n\n6\n0\n0\n0\n0\n');
  return stream;
}
