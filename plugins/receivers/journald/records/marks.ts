/**
 * Values of journald's own that make an entry a special one, as bits above those of the selection: so entries that are nothing
 * special are told from the others without a look at any value.
 */
import { SUPPRESSED_MESSAGE_ID } from './suppressed.ts';
import { Patterns } from '../select/patterns.ts';
import { FieldConditions, MAX_CONDITIONS } from '../select/selection.ts';

export const Mark = {
  /** The message is a part of a line that was longer than `LineMax=` of journald.conf(5); the stream's next entry goes on with it. */
  lineMax: 1 << MAX_CONDITIONS,
  /** systemd's message about messages that were dropped, see `suppressed.ts`. */
  suppressed: 1 << (MAX_CONDITIONS + 1),
} as const;

/** All of the above. */
export const ANY_MARK = Mark.lineMax | Mark.suppressed;

/** By name, the fields of which some values are marked. */
export const MARKED_FIELDS: ReadonlyMap<string, FieldConditions> = new Map([
  ['_LINE_BREAK', new FieldConditions().add(Mark.lineMax, new Patterns(['line-max']))],
  ['MESSAGE_ID', new FieldConditions().add(Mark.suppressed, new Patterns([SUPPRESSED_MESSAGE_ID]))],
]);
