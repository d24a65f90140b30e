/** Which errors of the directory are the operator's to put right before an agent can start. */
import { describeError, errnoOf, SluiceError } from '../core/errors.ts';

/** The error to start with; undefined where the disk may get better by itself. */
export function startError(directory: string, cause: unknown): SluiceError | undefined {
  if (cause instanceof SluiceError) return cause;
  const message = `the directory of dead letters ${directory} cannot be used (${describeError(cause)})`;
  switch (errnoOf(cause)) {
    case 'EACCES':
    case 'EPERM':
      return new SluiceError('permission_denied', message, {
        hint: 'give the user that the agent runs as the right to read and write there, or set dead_letters.directory to another one',
        cause,
      });
    case 'ENOTDIR':
    case 'EEXIST':
      return new SluiceError('path_conflict', message, {
        hint: 'a part of the path is a file; set dead_letters.directory to another one',
        cause,
      });
    default:
      return undefined;
  }
}
