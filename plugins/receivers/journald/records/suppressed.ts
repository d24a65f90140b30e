/**
 * journald's own messages about messages that it dropped, because a unit wrote more than `RateLimitBurst=` of journald.conf(5) in
 * its interval.
 */

/** What systemd's message catalog calls them. */
export const SUPPRESSED_MESSAGE_ID = 'a596d6fe7bfa4994828e72309e95d61e';

/** The fields that `readSuppressed` needs. */
export const SUPPRESSED_FIELDS = ['MESSAGE_ID', '_TRANSPORT', 'N_DROPPED', 'MESSAGE'] as const;

export interface Suppressed {
  readonly count: number;
  /** Whose messages they were. */
  readonly unit: string;
}

const COUNT = /^[1-9]\d{0,9}$/;
const UNIT = /^Suppressed \d+ messages from (\S{1,255})$/;

/**
 * What an entry with these fields says was dropped; undefined where it is no such message, or not journald's: any service may use
 * its message id, and none its transport.
 */
export function readSuppressed(fields: ReadonlyMap<string, string>): Suppressed | undefined {
  const [id, transport, count, message] = SUPPRESSED_FIELDS.map((name) => fields.get(name) ?? '');
  if (id !== SUPPRESSED_MESSAGE_ID || transport !== 'driver') return undefined;
  const [, unit] = UNIT.exec(message ?? '') ?? [];
  return COUNT.test(count ?? '') ? { count: Number(count), unit: unit ?? '' } : undefined;
}
