/**
 * Errors that an operator may meet carry a stable code, a message that says what is wrong, and a hint that says what to do.
 * Whether to try again is the error's own knowledge, so that no caller has to guess from a message.
 */
export type ErrorCode =
  | 'config_invalid'
  | 'path_conflict'
  | 'path_missing'
  | 'permission_denied'
  | 'address_in_use'
  | 'peer_refused'
  | 'peer_unreachable'
  | 'peer_silent'
  | 'protocol_violation'
  | 'store_unavailable'
  | 'process_failed'
  | 'state_invalid'
  | 'unsupported';

export interface SluiceErrorOptions {
  /** What the reader can do about it, as one sentence. */
  readonly hint?: string;
  /** True where the same attempt may succeed later without anybody changing anything. Default false. */
  readonly transient?: boolean;
  readonly cause?: unknown;
}

export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly transient: boolean;

  constructor(code: ErrorCode, message: string, options: SluiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.hint = options.hint;
    this.transient = options.transient ?? false;
  }
}

/** The text of anything that was thrown, with the hint where there is one. */
export function describeError(thrown: unknown): string {
  if (thrown instanceof SluiceError) return thrown.hint === undefined ? thrown.message : `${thrown.message}: ${thrown.hint}`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The errno name (`ENOENT`) of an error from the operating system, or undefined. */
export function errnoOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
