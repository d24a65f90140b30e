/**
 * What becomes of each journald field (systemd.journal-fields(7)): which part of a record it is, and under which name it is
 * shipped as a member. Looked up by the bytes of a name, once for each object that is read.
 */
import { MAX_NAME_BYTES } from '../file/format.ts';
import { isGlob, Patterns } from '../select/patterns.ts';
import type { FieldConditions } from '../select/selection.ts';
import { isFieldName, MEMBER_NAMES } from './field_names.ts';
import { MARKED_FIELDS } from './marks.ts';

/**
 * What a field's value is to a record: nothing, a member only, or a part of it (and a member too, where it is shipped). The
 * service comes from the first of the fields that name one, so those have a part each, from `service` on.
 */
export const Part = {
  nothing: 0,
  member: 1,
  message: 2,
  priority: 3,
  stream: 4,
  service: 5,
} as const;

export interface Field {
  /** Small and unique in its table; the next one is its base64 variant's. */
  readonly id: number;
  readonly name: Buffer;
  readonly part: number;
  /** `"unit":` and `"unit_base64":`; undefined where the field is not shipped as a member. */
  readonly opening: Buffer | undefined;
  readonly base64Opening: Buffer | undefined;
  /** True where values that are whole numbers are shipped as such. */
  readonly isNumber: boolean;
  /** What a value may fulfil: conditions of the selection, and marks. */
  readonly conditions: readonly FieldConditions[];
  readonly hash: number;
}

/** Which fields are shipped as members: all, or those that have one of these names or fit one of these patterns. */
export type Selection = 'all' | readonly string[];

export interface FieldTableOptions {
  readonly fields: Selection;
  /** Fields that name the service, the first that an entry has. */
  readonly service: readonly string[];
  /** By name, what values of the selection's fields may fulfil. */
  readonly conditions: ReadonlyMap<string, FieldConditions>;
}

const NUMBERS: ReadonlySet<string> = new Set(['_PID', '_UID', '_GID']);

/** Parts of a record that always come from the same field; the message is the first, see `message`. */
const PARTS: ReadonlyMap<string, number> = new Map([
  ['MESSAGE', Part.message],
  ['PRIORITY', Part.priority],
  ['_STREAM_ID', Part.stream],
]);

/** Names that are kept at a time; entries with ever new ones must not fill the memory. */
export const MAX_FIELDS = 4096;

const EQUALS = 0x3d;
const SLOTS = MAX_FIELDS * 2;

/** Whether a service may be named by the field: by any but those that are something else to a record. */
export function isServiceField(name: string): boolean {
  return isFieldName(name) && !PARTS.has(name);
}

/** The bits of the value from `start` to `end` of `bytes`, which is one of `field`. */
export function bitsOf({ conditions }: Field, bytes: Buffer, start: number, end: number): number {
  let bits = 0;
  for (const one of conditions) bits |= one.bitsOf(bytes, start, end);
  return bits;
}

export class FieldTable {
  readonly #options: FieldTableOptions;
  /** Names that are shipped, and the patterns of others that are. */
  readonly #names: ReadonlySet<string>;
  readonly #patterns: Patterns;
  /** Whether fields may be shipped that are not known by name. */
  readonly #isOpen: boolean;
  /** Open addressing over `#fields`, by hash; 0 is an empty slot, so fields are counted from 1. */
  readonly #slots = new Uint16Array(SLOTS);
  #fields: Field[] = [];
  /** Grows when the table had to start anew: fields that were handed out before are void, and so is what was made with them. */
  generation = 0;
  /** Of the name that `find` saw last: offset of its equals sign, or -1 where the bytes do not begin with a name and one. */
  nameEnd = -1;

  constructor(options: FieldTableOptions) {
    const fields = options.fields === 'all' ? ['*'] : options.fields;
    this.#options = options;
    this.#names = new Set(fields.filter((name) => !isGlob(name)));
    this.#patterns = new Patterns(fields.filter(isGlob));
    this.#isOpen = fields.some(isGlob);
    this.#addKnown();
  }

  /** The field MESSAGE, which is always known. */
  get message(): Field {
    return this.#fields[0]!; // the first of `PARTS`, with which the table begins
  }

  /** Length of the member's name, quotes and colon, by the id of a field that is shipped or of its base64 variant. */
  openingBytes(id: number): number {
    const field = this.#fields[id >> 1];
    return ((id & 1) === 0 ? field?.opening : field?.base64Opening)?.length ?? 0;
  }

  /**
   * The field whose name and equals sign are at `start` of `bytes`, and no further than `end`. Undefined where nothing becomes of
   * it, or there is no name; `nameEnd` tells these apart.
   */
  find(bytes: Buffer, start: number, end: number): Field | undefined {
    // The field that every entry has anew needs no look-up.
    const { message } = this;
    if (start + message.name.length < end && isEqual(message.name, bytes, start, start + message.name.length)) {
      const behind = start + message.name.length;
      if (bytes[behind] === EQUALS) {
        this.nameEnd = behind;
        return message;
      }
    }
    const limit = Math.min(end, start + MAX_NAME_BYTES + 1);
    let at = start;
    while (at < limit && bytes[at] !== EQUALS) at++;
    this.nameEnd = at < limit && at > start ? at : -1;
    if (this.nameEnd < 0) return undefined;
    const hash = hashOf(bytes, start, at);
    for (let slot = hash & (SLOTS - 1); ; slot = (slot + 1) & (SLOTS - 1)) {
      const number = this.#slots[slot]!; // slot is masked to the length
      if (number === 0) break;
      const field = this.#fields[number - 1]!; // slots hold numbers of fields only
      if (field.hash === hash && isEqual(field.name, bytes, start, at)) return field;
    }
    return this.#isOpen && this.#patterns.fits(bytes, start, at) ? this.#addMet(bytes.toString('latin1', start, at)) : undefined;
  }

  #addKnown(): void {
    this.#slots.fill(0);
    this.#fields = [];
    const { service, conditions } = this.#options;
    for (const name of new Set([...PARTS.keys(), ...service, ...MARKED_FIELDS.keys(), ...conditions.keys(), ...this.#names])) {
      this.#add(name);
    }
  }

  #addMet(name: string): Field | undefined {
    if (!isFieldName(name)) {
      this.nameEnd = -1;
      return undefined;
    }
    if (this.#fields.length >= MAX_FIELDS) {
      this.generation += 1;
      this.#addKnown();
    }
    return this.#add(name);
  }

  #add(name: string): Field {
    const bytes = Buffer.from(name);
    const hash = hashOf(bytes, 0, bytes.length);
    const { service, conditions } = this.#options;
    const rank = service.indexOf(name);
    const isSelected = this.#names.has(name) || this.#patterns.fits(bytes, 0, bytes.length);
    const part = PARTS.get(name) ?? (rank >= 0 ? Part.service + rank : isSelected ? Part.member : Part.nothing);
    // A message is the body; an entry may have more than one, and the others are then members.
    const isShipped = part === Part.message || isSelected;
    const member = MEMBER_NAMES.get(name) ?? name;
    const field: Field = {
      id: this.#fields.length * 2,
      name: bytes,
      part,
      opening: isShipped ? Buffer.from(`"${member}":`) : undefined,
      base64Opening: isShipped ? Buffer.from(`"${member}_base64":`) : undefined,
      isNumber: NUMBERS.has(name),
      conditions: [conditions.get(name), MARKED_FIELDS.get(name)].filter((one) => one !== undefined),
      hash,
    };
    let slot = hash & (SLOTS - 1);
    while (this.#slots[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
    this.#fields.push(field);
    this.#slots[slot] = this.#fields.length;
    return field;
  }
}

/** Of the length and four bytes, which tell the names that occur apart well enough, and in a fraction of the time of all bytes. */
function hashOf(bytes: Buffer, start: number, end: number): number {
  const middle = (start + end) >>> 1;
  const mixed = bytes[start]! | (bytes[middle]! << 8) | (bytes[end - 1]! << 16) | (bytes[(middle + end) >>> 1]! << 24); // not empty
  return Math.imul(mixed ^ (end - start), 0x9e3779b1) >>> 16;
}

function isEqual(name: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let at = 0; at < name.length; at++) if (name[at] !== bytes[start + at]) return false;
  return true;
}
