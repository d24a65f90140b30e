/** systemd's own programs, where they are installed: tests that need them say so and are skipped where they are not. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { type ExportField, parseExport, writeExport } from './export_format.ts';

const REMOTE = ['/usr/lib/systemd/systemd-journal-remote', '/lib/systemd/systemd-journal-remote'].find((path) =>
  existsSync(path),
);

/** Why tests against systemd's programs cannot run here; false where they can. */
export const withoutSystemd: string | false =
  REMOTE === undefined
    ? 'systemd-journal-remote is not installed'
    : spawnSync('journalctl', ['--version']).status === 0
      ? false
      : 'journalctl is not installed';

export interface JournalVariant {
  readonly isCompact: boolean;
  readonly isKeyed: boolean;
}

/** Lets systemd write a journal file at `path`, which ends in `.journal`; it may rotate it if it grows large. */
export async function writeWithSystemd(
  path: string,
  entries: readonly (readonly ExportField[])[],
  { isCompact, isKeyed }: JournalVariant = { isCompact: true, isKeyed: true },
): Promise<void> {
  if (REMOTE === undefined) throw new Error('systemd-journal-remote is not installed');
  const env = { ...process.env, SYSTEMD_JOURNAL_COMPACT: isCompact ? '1' : '0', SYSTEMD_JOURNAL_KEYED_HASH: isKeyed ? '1' : '0' };
  const child = spawn(REMOTE, ['-o', path, '-'], { env, stdio: ['pipe', 'ignore', 'pipe'] });
  const said = buffer(child.stderr);
  const status = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  child.stdin.end(writeExport(entries));
  if ((await status) !== 0) throw new Error(`systemd-journal-remote failed: ${String(await said)}`);
}

/** What journalctl reads from these files, in its order. */
export async function readWithSystemd(paths: readonly string[]): Promise<ExportField[][]> {
  const args = [...paths.flatMap((path) => ['--file', path]), '--output', 'export', '--all', '--quiet'];
  const child = spawn('journalctl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = await buffer(child.stdout);
  return parseExport(output);
}
