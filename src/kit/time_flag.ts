/** Points in time as people give them to a command. */
import { SluiceError } from '../core/errors.ts';
import { parseDuration } from './options.ts';

/** RFC 3339, also without seconds, and the date alone, which is its midnight in UTC. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(\.\d+)?(Z|[+-]\d\d:\d\d))?$/i;

/** Seconds since 1970, as date(1) has them with +%s. */
const SECONDS = /^@(\d{1,10})(\.\d+)?$/;

/** A time in microseconds since 1970, given as such, or as a duration before now. Throws a SluiceError that names `flag`. */
export function timeOf(flag: string, text: string, nowMicros: number): number {
  const micros = absolute(text) ?? relative(text, nowMicros);
  if (micros !== undefined) return micros;
  throw new SluiceError('config_invalid', `${flag} is neither a time nor a duration: ${text}`, {
    hint: 'write 2026-11-20T07:00:00Z, 2026-11-20 (its midnight in UTC), @1795156800, or how long ago: 90s, 15m, 2h, 3d',
  });
}

function absolute(text: string): number | undefined {
  const [, seconds, ofSecond = ''] = SECONDS.exec(text) ?? [];
  if (seconds !== undefined) return Number(seconds) * 1e6 + microsOf(ofSecond);
  const [, date, time = '00:00', fraction = '', zone = 'Z'] = TIME.exec(text) ?? [];
  if (date === undefined) return undefined;
  const millis = Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  return Number.isNaN(millis) ? undefined : millis * 1000 + microsOf(fraction);
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
