/**
 * Decides which entries are read: those that fit every kind of criterion in `include`, and none in `exclude`. A kind is fitted by
 * any of its values.
 *
 * Each condition that a field's value can fulfil is one bit. The OR of the bits of all values of an entry is all there is to know
 * about it, so a reader that remembers the bits of values that entries share decides without looking at them again.
 */
import { SluiceError } from '../../../../src/core/errors.ts';
import { type Criteria, PRIORITIES } from './criteria.ts';
import { isGlob, Patterns } from './patterns.ts';

/** Conditions that there can be, in the lowest bits of a number; the reader has a use for those above. */
export const MAX_CONDITIONS = 28;

/** The priorities that are meant; none for no condition. */
type PriorityRange = (given: Priority | readonly Priority[]) => readonly Priority[];

type Priority = (typeof PRIORITIES)[number];

/** The ways to fit a kind of criterion: each a mask of bits that are all needed. */
type Kind = readonly number[];

/** Types of units; a name that ends in none of them is a service's (systemd.unit(5)). */
const UNIT_TYPE = /\.(?:service|socket|target|device|mount|automount|swap|timer|path|slice|scope)$/;

/** systemd's id of messages about core dumps. */
const COREDUMP_MESSAGE_ID = 'fc2e22bc6ee647b6b90729ab34a250b1';

/** What the values of one field can fulfil. */
export class FieldConditions {
  readonly #conditions: { readonly bit: number; readonly patterns: Patterns }[] = [];

  add(bit: number, patterns: Patterns): this {
    this.#conditions.push({ bit, patterns });
    return this;
  }

  /** The bits of the value from `start` to `end` of `bytes`. */
  bitsOf(bytes: Buffer, start: number, end: number): number {
    let bits = 0;
    for (const { bit, patterns } of this.#conditions) if (patterns.fits(bytes, start, end)) bits |= bit;
    return bits;
  }
}

export class EntrySelection {
  readonly #fields = new Map<string, FieldConditions>();
  /** Bits by field and values, so that a condition that is asked for twice takes one. */
  readonly #bits = new Map<string, number>();
  readonly #include: readonly Kind[];
  readonly #exclude: readonly Kind[];

  /** Throws a `SluiceError` (config_invalid) where there are more conditions than bits. */
  constructor(include: Criteria | undefined, exclude: Criteria | undefined) {
    this.#include = this.#kindsOf(include, included);
    this.#exclude = this.#kindsOf(exclude, excluded);
    if (this.#bits.size <= MAX_CONDITIONS) return;
    const message = `include and exclude amount to ${this.#bits.size} conditions, and there can be ${MAX_CONDITIONS}`;
    throw new SluiceError('config_invalid', message, {
      hint: 'name fewer fields in matches; each may have any number of values',
    });
  }

  /** By name, the fields that it must see; none where it accepts every entry. */
  get fields(): ReadonlyMap<string, FieldConditions> {
    return this.#fields;
  }

  /** The bits of one value of a field. */
  bitsOf(name: string, value: Buffer): number {
    return this.#fields.get(name)?.bitsOf(value, 0, value.length) ?? 0;
  }

  /** Whether an entry is chosen whose values have these bits, all together. */
  accepts(bits: number): boolean {
    for (const kind of this.#include) if (!fits(kind, bits)) return false;
    for (const kind of this.#exclude) if (fits(kind, bits)) return false;
    return true;
  }

  #kindsOf({ units, identifiers, priorities, matches = {} }: Criteria = {}, range: PriorityRange): Kind[] {
    const kinds: Kind[] = [];
    if (units !== undefined) kinds.push(this.#unitKind(units.map(unitName)));
    if (identifiers !== undefined) kinds.push([this.#bit('SYSLOG_IDENTIFIER', identifiers)]);
    if (priorities !== undefined) kinds.push(this.#priorityKind(range(priorities)));
    for (const [name, values] of Object.entries(matches)) kinds.push([this.#bit(name, values)]);
    return kinds;
  }

  /** As `journalctl --unit`: what the unit itself logs, and what those who may speak of it do. */
  #unitKind(units: readonly string[]): Kind {
    const isRoot = this.#bit('_UID', ['0']);
    const slices = units.filter((unit) => isGlob(unit) || unit.endsWith('.slice'));
    return [
      this.#bit('_SYSTEMD_UNIT', units),
      this.#bit('UNIT', units) | this.#bit('_PID', ['1']),
      this.#bit('OBJECT_SYSTEMD_UNIT', units) | isRoot,
      this.#bit('COREDUMP_UNIT', units) | isRoot | this.#bit('MESSAGE_ID', [COREDUMP_MESSAGE_ID]),
      ...(slices.length > 0 ? [this.#bit('_SYSTEMD_SLICE', slices)] : []),
    ];
  }

  #priorityKind(chosen: readonly Priority[]): Kind {
    const digits = PRIORITIES.flatMap((name, digit) => (chosen.includes(name) ? [String(digit)] : []));
    return digits.length === 0 ? [0] : [this.#bit('PRIORITY', digits)];
  }

  /** The bit of values of the field that fit one of these. */
  #bit(name: string, values: readonly string[]): number {
    const key = JSON.stringify([name, values]);
    const known = this.#bits.get(key);
    if (known !== undefined) return known;
    const bit = 1 << this.#bits.size;
    this.#bits.set(key, bit);
    const conditions = this.#fields.get(name) ?? new FieldConditions();
    this.#fields.set(name, conditions);
    conditions.add(bit, new Patterns(values));
    return bit;
  }
}

/** Whether there are few enough conditions for an `EntrySelection`. */
export function isSelectable(include: Criteria | undefined, exclude: Criteria | undefined): boolean {
  try {
    void new EntrySelection(include, exclude);
    return true;
  } catch (error) {
    if (error instanceof SluiceError) return false;
    throw error;
  }
}

function fits(kind: Kind, bits: number): boolean {
  for (const mask of kind) if ((bits & mask) === mask) return true;
  return false;
}

/** As `journalctl --priority`: the most urgent ones, down to this one. All of them together are no condition. */
function included(given: Priority | readonly Priority[]): readonly Priority[] {
  const chosen = typeof given === 'string' ? PRIORITIES.slice(0, PRIORITIES.indexOf(given) + 1) : given;
  return PRIORITIES.every((name) => chosen.includes(name)) ? [] : chosen;
}

/** This one, and the less urgent ones. */
function excluded(given: Priority | readonly Priority[]): readonly Priority[] {
  return typeof given === 'string' ? PRIORITIES.slice(PRIORITIES.indexOf(given)) : given;
}

function unitName(name: string): string {
  return isGlob(name) || UNIT_TYPE.test(name) ? name : `${name}.service`;
}
