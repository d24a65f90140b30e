/** What the flags of `sluice journal cat` ask for. */
import { SluiceError } from '../../../../src/core/errors.ts';
import { timeOf } from '../../../../src/kit/time_flag.ts';
import { parseCursor, seqnumCursor, timeCursor, type Cursor } from '../file/cursor.ts';
import { type Criteria, PRIORITIES } from '../select/criteria.ts';
import { EntrySelection } from '../select/selection.ts';
import { nameEnd } from './name_end.ts';
import type { PlaceFlags } from './place.ts';

export type Output = 'text' | 'export' | 'json';

export interface CatFlags extends PlaceFlags {
  readonly since?: string;
  readonly until?: string;
  readonly cursor?: string;
  readonly afterCursor?: string;
  readonly lines?: string;
  readonly unit?: readonly string[];
  readonly identifier?: readonly string[];
  readonly priority?: string;
  readonly follow?: true;
  readonly seqnum?: true;
  readonly output: Output;
}

export interface CatRequest {
  /** Entries behind this one or time; undefined for the first, or with `newest` for the last. */
  readonly after: Cursor | undefined;
  /** The last moment, in microseconds since 1970. */
  readonly untilMicros: number;
  /** Print so many of the newest entries first, instead of all from `after` on. */
  readonly newest: number | undefined;
  /** Print no more than this. */
  readonly limit: number;
  readonly selection: EntrySelection;
  readonly isFollowing: boolean;
  readonly withSeqnum: boolean;
  readonly output: Output;
}

/** What `--follow` begins with, as tail(1) does. */
const FOLLOWED_LINES = 10;

/** Throws a SluiceError where a flag cannot be understood, or two do not go together. */
export function requestOf(matches: readonly string[], flags: CatFlags, nowMicros: number): CatRequest {
  const after = afterOf(flags, nowMicros);
  const isFollowing = flags.follow === true;
  const lines = flags.lines === undefined ? undefined : linesOf(flags.lines, isFollowing);
  if (isFollowing && flags.until !== undefined) throw contradiction('--follow', '--until');
  if (isFollowing && lines !== undefined && after !== undefined) {
    throw contradiction('--follow with --lines', '--since or a cursor');
  }
  const wantsNewest = after === undefined && (lines !== undefined || isFollowing);
  return {
    after,
    untilMicros: flags.until === undefined ? Infinity : timeOf('--until', flags.until, nowMicros),
    newest: wantsNewest ? (lines ?? FOLLOWED_LINES) : undefined,
    limit: wantsNewest || lines === undefined ? Infinity : lines,
    selection: new EntrySelection(criteriaOf(matches, flags), undefined),
    isFollowing,
    withSeqnum: flags.seqnum === true,
    output: flags.output,
  };
}

function afterOf({ since, cursor, afterCursor }: CatFlags, nowMicros: number): Cursor | undefined {
  const given = [
    ['--since', since],
    ['--cursor', cursor],
    ['--after-cursor', afterCursor],
  ].flatMap(([flag, value]) => (value === undefined ? [] : [flag]));
  if (given.length > 1) throw contradiction(given[0] ?? '', given[1] ?? '');
  // Entries of that very microsecond are among them.
  if (since !== undefined) return timeCursor(timeOf('--since', since, nowMicros) - 1);
  if (afterCursor !== undefined) return cursorOf('--after-cursor', afterCursor);
  return cursor === undefined ? undefined : before(cursorOf('--cursor', cursor));
}

/** The place right in front of a cursor. */
function before({ seqnumId, seqnum, realtime }: Cursor): Cursor {
  return seqnumId !== undefined && seqnum !== undefined
    ? seqnumCursor(seqnumId, seqnum - 1, realtime - 1)
    : timeCursor(realtime - 1, seqnumId);
}

function cursorOf(flag: string, text: string): Cursor {
  const cursor = parseCursor(text);
  if (cursor !== undefined) return cursor;
  throw new SluiceError('config_invalid', `${flag} is no cursor of journald: ${text}`, {
    hint: 'a cursor begins with s= and has i=, b=, m=, t= and x=; "journalctl --show-cursor" and __CURSOR in -o json show them',
  });
}

/** Who follows may want nothing of what is there already. */
function linesOf(text: string, isFollowing: boolean): number {
  if (/^[1-9]\d{0,14}$/.test(text) || (isFollowing && text === '0')) return Number(text);
  throw new SluiceError('config_invalid', `--lines is no number of entries: ${text}`, {
    hint: 'write a whole number from 1 on, or 0 with --follow',
  });
}

function criteriaOf(matches: readonly string[], { unit, identifier, priority }: CatFlags): Criteria {
  return {
    ...(unit === undefined ? {} : { units: [...unit] }),
    ...(identifier === undefined ? {} : { identifiers: [...identifier] }),
    ...(priority === undefined ? {} : { priorities: prioritiesOf(priority) }),
    ...(matches.length === 0 ? {} : { matches: matchesOf(matches) }),
  };
}

function matchesOf(matches: readonly string[]): Record<string, string[]> {
  const pairs = matches.map((match): [string, string] => {
    const bytes = Buffer.from(match);
    // A name is ASCII, so that it ends at the same place in the text.
    const equals = nameEnd(bytes, 0, bytes.length);
    if (equals > 0) return [match.slice(0, equals), match.slice(equals + 1)];
    throw new SluiceError('config_invalid', `this is no match: ${match}`, {
      hint: 'write FIELD=VALUE, such as _UID=0 or "MESSAGE=*timeout*"; several for one field mean any of them',
    });
  });
  return Object.fromEntries(
    [...Map.groupBy(pairs, ([name]) => name)].map(([name, group]) => [name, group.map(([, value]) => value)]),
  );
}

function prioritiesOf(text: string): NonNullable<Criteria['priorities']> {
  const [from = '', to, ...rest] = text.split('..');
  const [first, last] = [from, to ?? from].map(priorityNumber);
  if (first === undefined || last === undefined || rest.length > 0) {
    throw new SluiceError('config_invalid', `--priority is no priority: ${text}`, {
      hint: `write one of ${PRIORITIES.join(', ')}, a number from 0 to 7, or a range such as err..alert`,
    });
  }
  const single = to === undefined ? PRIORITIES[first] : undefined;
  return single ?? PRIORITIES.slice(Math.min(first, last), Math.max(first, last) + 1);
}

function priorityNumber(text: string): number | undefined {
  const number = /^[0-7]$/.test(text) ? Number(text) : PRIORITIES.findIndex((name) => name === text);
  return number < 0 ? undefined : number;
}

function contradiction(one: string, other: string): SluiceError {
  return new SluiceError('config_invalid', `${one} and ${other} do not go together`, { hint: 'leave one of them out' });
}
