/**
 * The ledger as a file: JSON that an operator can read, with a version.
 *
 *     {
 *       "version": 1,
 *       "clean": false,
 *       "receivers": {
 *         "pipe/nginx": {
 *           "accepted": 1000, "delivered": 900, "dead_lettered": { "refused": 1 }, "dropped": { "rate_limit": 9 },
 *           "held": 90, "safe": 40
 *         }
 *       },
 *       "spools": { "logs": { "id": "60c1e5f1d0a7b2c3", "nextPosition": 4711, "cursors": { "log-a": { "drop_oldest": 4700 } } } }
 *     }
 *
 * `clean` is true where it was written by an orderly end, after which nothing more happened. `held` is what was in flight and
 * spooled at that moment, and `safe` the part of it that a crash cannot take. All numbers are whole records, but those under `spools`: how far
 * the spool of each pipeline had come at that moment (`src/core/spool_mark.ts`).
 */
import { z } from 'zod';
import type { SpoolMark } from '../core/spool_mark.ts';
import type { AccountTotals, ByReason } from './ledger_account.ts';

const VERSION = 1;

export interface SavedAccount extends AccountTotals {
  readonly held: number;
  readonly safe: number;
}

export interface SavedLedger {
  readonly isClean: boolean;
  /** By receiver. */
  readonly accounts: ReadonlyMap<string, SavedAccount>;
  /** By pipeline. */
  readonly marks: ReadonlyMap<string, SpoolMark>;
}

/** What there is to start with where nothing was saved. */
export const EMPTY_LEDGER: SavedLedger = { isClean: true, accounts: new Map(), marks: new Map() };

const markSchema = z.object({
  id: z.string(),
  nextPosition: z.int().nonnegative(),
  cursors: z.record(z.string(), z.record(z.string(), z.int().nonnegative())),
});

export function encodeLedger({ isClean, accounts, marks }: SavedLedger): string {
  const receivers = Object.fromEntries(Array.from(accounts, ([receiver, account]) => [receiver, encodeAccount(account)]));
  const spools = Object.fromEntries(marks);
  return `${JSON.stringify({ version: VERSION, clean: isClean, receivers, spools }, undefined, 2)}\n`;
}

/** Throws an error that says what is wrong where the text is not a whole ledger of this version. */
export function decodeLedger(text: string): SavedLedger {
  const file = asObject('the file', JSON.parse(text));
  if (file['version'] !== VERSION) throw new TypeError(`its version is ${JSON.stringify(file['version'])}, not ${VERSION}`);
  if (typeof file['clean'] !== 'boolean') throw new TypeError('"clean" is neither true nor false');
  const receivers = Object.entries(asObject('"receivers"', file['receivers']));
  const spools = z.record(z.string(), markSchema).default({}).safeParse(file['spools']);
  if (!spools.success) throw new TypeError('"spools" does not say how far spools have come');
  return {
    isClean: file['clean'],
    accounts: new Map(receivers.map(([id, account]) => [id, decodeAccount(id, account)])),
    marks: new Map(Object.entries(spools.data)),
  };
}

function encodeAccount({ accepted, delivered, deadLetteredByReason, droppedByReason, held, safe }: SavedAccount) {
  return { accepted, delivered, dead_lettered: deadLetteredByReason, dropped: droppedByReason, held, safe };
}

function decodeAccount(receiver: string, value: unknown): SavedAccount {
  const account = asObject(receiver, value);
  const records = (name: string): number => asRecords(`${receiver}: ${name}`, account[name]);
  const byReason = (name: string): ByReason => {
    const reasons = Object.entries(asObject(`${receiver}: ${name}`, account[name]));
    return Object.fromEntries(reasons.map(([reason, count]) => [reason, asRecords(`${receiver}: ${name}: ${reason}`, count)]));
  };
  const saved = {
    accepted: records('accepted'),
    delivered: records('delivered'),
    deadLetteredByReason: byReason('dead_lettered'),
    droppedByReason: byReason('dropped'),
    held: records('held'),
    safe: records('safe'),
  };
  if (saved.safe > saved.held) throw new TypeError(`${receiver}: more records are safe than are held`);
  return saved;
}

function asObject(what: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${what} is not a JSON object`);
  return { ...value };
}

function asRecords(what: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new TypeError(`${what} is no count of records`);
  return value;
}
