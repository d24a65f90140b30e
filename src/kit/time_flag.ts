/** Points in time as people give them to a command. */
import { SluiceError } from '../core/errors.ts';
import { parseDuration } from './options.ts';

/**
 * RFC 3339, also without seconds; and journalctl's form of it (systemd.time(7)), which has a space in it and no zone, and may lack seconds,
 * or all of the time.
 */
const TIME = /^(\d{4}-\d\d-\d\d)(?:([T ])(\d\d:\d\d(?::\d\d)?)(\.\d+)?(Z|[+-]\d\d:\d\d)?)?$/i;

/** Seconds since 1970, as date(1) has them with +%s. */
const SECONDS = /^@(\d{1,10})(\.\d+)?$/;

/** Words that journalctl knows too, by how many days ago the midnight was that they stand for. */
const DAYS_AGO: ReadonlyMap<string, number> = new Map([
  ['today', 0],
  ['yesterday', 1],
]);

/**
 * A time in microseconds since 1970, given as such, as a word, or as a duration before now. What has no zone is in that of the process.
 * Throws a SluiceError that names `flag`.
 */
export function timeOf(flag: string, text: string, nowMicros: number): number {
  const micros = absolute(text) ?? named(text, nowMicros) ?? relative(text, nowMicros);
  if (micros !== undefined) return micros;
  throw new SluiceError('config_invalid', `${flag} is neither a time nor a duration: ${text}`, {
    hint: 'write 2026-11-20T07:00:00Z, "2026-11-20 07:00" or 2026-11-20 (local time), today, yesterday, now, @1795156800, or how long ago: 90s, 15m, 2h, 3d',
  });
}

function absolute(text: string): number | undefined {
  const [, seconds, ofSecond = ''] = SECONDS.exec(text) ?? [];
  if (seconds !== undefined) return Number(seconds) * 1e6 + microsOf(ofSecond);
  const [, date, separator, time = '00:00', fraction = '', zone = ''] = TIME.exec(text) ?? [];
  if (date === undefined || !isInCalendar(date) || (separator?.toUpperCase() === 'T' && zone === '')) return undefined;
  // Without a zone it is local time (ECMAScript, "Date Time String Format").
  const millis = Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  return Number.isNaN(millis) ? undefined : millis * 1000 + microsOf(fraction);
}

/** Whether the day is one of its month, which `Date.parse` does not mind. */
function isInCalendar(date: string): boolean {
  const midnight = new Date(`${date}T00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date);
}

function named(text: string, nowMicros: number): number | undefined {
  if (text === 'now') return nowMicros;
  const days = DAYS_AGO.get(text);
  if (days === undefined) return undefined;
  const now = new Date(nowMicros / 1000);
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - days).getTime() * 1000;
}

/** Microseconds of `.123`. */
function microsOf(fraction: string): number {
  return Number(fraction.slice(1, 7).padEnd(6, '0'));
}

/** `2h`, or `-2h`. */
function relative(text: string, nowMicros: number): number | undefined {
  try {
    return Math.floor(nowMicros - parseDuration(text.replace(/^-/, '')) * 1000);
  } catch {
    return undefined;
  }
}
