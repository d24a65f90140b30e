/** The configuration file itself, read or told why not. */
import { readFile } from 'node:fs/promises';
import { errnoOf, type ErrorCode, SluiceError } from '../core/errors.ts';

/** Throws a SluiceError (`path_missing`, `permission_denied`, `config_invalid`) that says what to do. */
export async function readConfigText(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw unreadable(file, cause);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SluiceError('config_invalid', `${file} is not UTF-8 text`, { hint: 'save it as UTF-8', cause });
  }
}

const UNREADABLE: Readonly<Record<string, { code: ErrorCode; what: string; hint: string }>> = {
  ENOENT: { code: 'path_missing', what: 'there is no such file', hint: '"sluice config default" prints one to start from' },
  EACCES: { code: 'permission_denied', what: 'permission denied', hint: 'let the user that Sluice runs as read it' },
  EISDIR: { code: 'config_invalid', what: 'it is a directory', hint: 'give the path of the file inside' },
};

function unreadable(file: string, cause: unknown): SluiceError {
  const known = UNREADABLE[errnoOf(cause) ?? ''];
  const what = known?.what ?? (cause instanceof Error ? cause.message : String(cause));
  return new SluiceError(known?.code ?? 'config_invalid', `cannot read the configuration ${file}: ${what}`, {
    hint: known?.hint ?? 'give the path of a readable file',
    cause,
  });
}
