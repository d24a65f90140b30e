/** How journalctl is called (journalctl(1)). */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SluiceError } from '../../../../src/core/errors.ts';
import type { Cursor } from '../file/cursor.ts';
import type { JournaldOptions } from '../options.ts';

/** Looked up in PATH. */
export const PROGRAM = 'journalctl';

/** `--version` answers at once; where it does not, the program is as good as not there. */
const VERSION_TIMEOUT_MS = 10_000;

/**
 * The arguments to read the same files as the files driver, and to follow them. The entry at `place` is shown too, where there is
 * one, unless it must not be: to begin behind an entry that is gone, journalctl 252 leaves out the next one as well.
 */
export function journalctlArgs(
  { directory, namespace, include_users: hasUsers }: JournaldOptions,
  place: Cursor,
  isShown = true,
): string[] {
  return [
    '--output=export',
    '--all',
    '--merge',
    '--follow',
    '--no-tail',
    '--no-pager',
    ...(directory === undefined ? [] : [`--directory=${directory}`]),
    ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
    ...(hasUsers ? [] : ['--system']),
    ...placeArgs(place, isShown),
  ];
}

/**
 * What `journalctl --version` says in its first line (`systemd 252 (252.39-1)`). Throws a `SluiceError` where it cannot be run, or
 * cannot read what the options ask for.
 */
export async function requireJournalctl(
  { directory, namespace }: JournaldOptions,
  program = PROGRAM,
  timeoutMs = VERSION_TIMEOUT_MS,
): Promise<string> {
  if (directory !== undefined && namespace !== undefined) {
    throw new SluiceError('unsupported', 'journalctl cannot read a namespace in a directory that is named', {
      hint: 'leave directory or namespace out, or set driver: files',
    });
  }
  let output: string;
  try {
    // By force, since nothing is read while it is waited for.
    ({ stdout: output } = await promisify(execFile)(program, ['--version'], { timeout: timeoutMs, killSignal: 'SIGKILL' }));
  } catch (error) {
    throw cannotRun(program, reasonOf(error));
  }
  const [version = ''] = output.split('\n');
  if (version === '') throw cannotRun(program, 'it says nothing');
  return version;
}

/**
 * Of a cursor journalctl needs an entry or a time. From an entry it goes on by number in files of the same sequence, else by the
 * clock; where the entry is gone, from the nearest later one. A time it takes to the microsecond, with entries of that very time.
 */
function placeArgs({ text, seqnum, realtime }: Cursor, isShown: boolean): string[] {
  if (seqnum !== undefined) return [`--${isShown ? 'cursor' : 'after-cursor'}=${text}`];
  if (realtime === 0) return [];
  const micros = String(realtime % 1_000_000).padStart(6, '0');
  return [`--since=@${Math.floor(realtime / 1_000_000)}.${micros}`];
}

/** Of an error of `execFile`: its code is an errno or an exit code, and null where a signal has ended the program. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === null) return 'it was killed';
  return typeof code === 'number' ? `exit code ${code}` : String(code ?? error);
}

function cannotRun(program: string, reason: string): SluiceError {
  return new SluiceError('process_failed', `${program} --version failed (${reason})`, {
    hint: 'install journalctl, which comes with systemd, or set driver: files',
  });
}
