/** What the services of a simulated machine write, and what is known of each record while it travels. */
import type { RecordSpec } from '../helpers/batches.ts';
import { MAX_BODY_DEPTH } from '../../src/kit/line_scanner/line_scanner.ts';
import type { Incarnation } from './incarnation.ts';

/** Records that somebody on the way will not have. */
export type Trouble =
  | 'none'
  /** A body that nests deeper than receivers take: they refuse the line. */
  | 'deep'
  /** Larger than the frames that receivers take. */
  | 'large'
  /** The store behind a receiver refuses it for good. */
  | 'unstorable';

/** A record as it was written. */
export interface Written {
  readonly source: string;
  /** Place in what its source wrote, from 0. */
  readonly index: number;
  readonly service: string;
  readonly trouble: Trouble;
  readonly text: string;
  /** How often it was given to the agent: more than once where the source was asked again. */
  emitted: number;
  /** The agent that has it and has not told what became of it. */
  holder: Incarnation | undefined;
  /** When the holder got it. */
  heldSinceMs: number;
  /** The agent that got it last, counted by its starts. */
  emittedBy: number;
  /** An agent has said that it is delivered, or safe. */
  isSafe: boolean;
  /** Why an agent said that it is not delivered and never will be. */
  dropped: string | undefined;
  /** It was lost with the memory of an agent, where that is allowed. */
  isExcused: boolean;
}

const UNSTORABLE = '!unstorable';
const DEEP = '['.repeat(MAX_BODY_DEPTH) + ']'.repeat(MAX_BODY_DEPTH);

/** Text whose every byte follows from the name and the index, so that a byte of another record is found out. */
export function textOf(source: string, index: number, trouble: Trouble, bytes: number): string {
  const head = `${source}#${index}${trouble === 'unstorable' ? UNSTORABLE : ''} `;
  const unit = `${index.toString(36)}.`;
  return head + unit.repeat(Math.ceil(bytes / unit.length));
}

/** Whether the store behind a receiver refuses a record with this text. */
export function isUnstorable(text: string): boolean {
  return text.includes(UNSTORABLE);
}

/** The source and index that a record's text names; undefined where it names none. */
export function keyOf(text: string): { readonly source: string; readonly index: number } | undefined {
  const [, source, index] = /^([a-z]+\d+)#(\d+)/.exec(text) ?? [];
  return source === undefined ? undefined : { source, index: Number(index) };
}

/** The record as a receiver puts it into a batch. */
export function specOf({ service, text, trouble, index }: Written, time: number): RecordSpec {
  const record = { service, time, sequence: index };
  return trouble === 'deep' ? { ...record, body: `{"text":"${text}","deep":${DEEP}}`, kind: 'json' } : { ...record, body: text };
}

/** The text of a record in a decoded cfjs1 line; undefined where there is none. */
export function textIn(line: unknown): string | undefined {
  const { format } = asMap(line);
  const { message, body } = asMap(typeof format === 'string' ? asMap(line)[format] : undefined);
  const text = message ?? asMap(body)['text'];
  return typeof text === 'string' ? text : undefined;
}

/** An object's members; none of what is not an object. */
export function asMap(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
