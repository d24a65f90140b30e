/** systemd's own programs, where they are installed: tests that need them say so and are skipped where they are not. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type ExportField, parseExport, writeExport } from './export_format.ts';

/** Where systemd-journal-remote is; undefined where it is not. */
export const REMOTE = ['/usr/lib/systemd/systemd-journal-remote', '/lib/systemd/systemd-journal-remote'].find((path) =>
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

/** What systemd's programs that write journals are told of the variant, in their environment. */
export function variantEnvironment({ isCompact, isKeyed }: JournalVariant): NodeJS.ProcessEnv {
  return { SYSTEMD_JOURNAL_COMPACT: isCompact ? '1' : '0', SYSTEMD_JOURNAL_KEYED_HASH: isKeyed ? '1' : '0' };
}

/** Lets systemd write a journal file at `path`, which ends in `.journal`; it rotates it, beside it, when it grows large. */
export async function writeWithSystemd(
  path: string,
  entries: Iterable<readonly ExportField[]>,
  variant: JournalVariant = { isCompact: true, isKeyed: true },
): Promise<void> {
  if (REMOTE === undefined) throw new Error('systemd-journal-remote is not installed');
  const env = { ...process.env, ...variantEnvironment(variant) };
  const child = spawn(REMOTE, ['-o', path, '-'], { env, stdio: ['pipe', 'ignore', 'pipe'] });
  const said = buffer(child.stderr);
  const status = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  await pipeline(Readable.from(inPieces(entries)), child.stdin);
  if ((await status) !== 0) throw new Error(`systemd-journal-remote failed: ${String(await said)}`);
}

const PIECE_BYTES = 64 * 1024;

function* inPieces(entries: Iterable<readonly ExportField[]>): Iterable<Buffer> {
  let gathered: Buffer[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const written = writeExport(entry);
    gathered.push(written);
    bytes += written.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(gathered);
    gathered = [];
    bytes = 0;
  }
  yield Buffer.concat(gathered);
}

/** What journalctl reads from these files, in its order, one entry after the other; of the fields only those named, if some are. */
export async function* readWithSystemd(paths: readonly string[], fields: readonly string[] = []): AsyncGenerator<ExportField[]> {
  const args = [...paths.flatMap((path) => ['--file', path]), '--output', 'export', '--all', '--quiet'];
  if (fields.length > 0) args.push(`--output-fields=${fields.join(',')}`);
  const child = spawn('journalctl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = buffer(child.stderr);
  const status = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  yield* parseExport(child.stdout);
  if ((await status) !== 0) throw new Error(`journalctl failed: ${String(await said)}`);
}
