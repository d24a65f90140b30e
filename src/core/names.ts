/**
 * Interned strings for one column of many batches (service names): a batch holds small ids, a table holds the strings once.
 *
 * A table only grows, so an id means the same for as long as the table lives. It is bounded by being left: when `isFull`, a
 * builder starts its next batch on a new table, and the old one is collected with the last batch that refers to it.
 */
export class NameTable {
  /** Id of the empty name, which stands for "none". */
  static readonly NONE = 0;

  readonly #limit: number;
  readonly #names: string[] = [''];
  readonly #bytes: Buffer[] = [Buffer.alloc(0)];
  readonly #idByName = new Map<string, number>([['', 0]]);
  /** Open addressing over ids, by hash of the name's bytes; 0 is an empty slot. */
  #slots = new Uint32Array(256);

  constructor(limit = 4096) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#names.length;
  }

  get isFull(): boolean {
    return this.#names.length >= this.#limit;
  }

  name(id: number): string {
    return this.#names[id] ?? '';
  }

  /** The name's UTF-8 bytes; not to be written to. */
  bytes(id: number): Buffer {
    return this.#bytes[id] ?? this.#bytes[0]!; // index 0 is set by the initializer
  }

  intern(name: string): number {
    const known = this.#idByName.get(name);
    if (known !== undefined) return known;
    const bytes = Buffer.from(name, 'utf8');
    return this.#add(name, bytes, hashBytes(bytes, 0, bytes.length));
  }

  /** Interns the UTF-8 bytes `start` to `end` of `source` without making a string of a name that is known already. */
  internBytes(source: Uint8Array, start: number, end: number): number {
    if (start === end) return NameTable.NONE;
    const hash = hashBytes(source, start, end);
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot]!; // slot is masked to the table's length
      if (id === 0) break;
      if (equalBytes(this.#bytes[id]!, source, start, end)) return id; // ids in slots were added with their bytes
    }
    const bytes = Buffer.from(source.subarray(start, end));
    return this.#add(bytes.toString('utf8'), bytes, hash);
  }

  #add(name: string, bytes: Buffer, hash: number): number {
    const id = this.#names.length;
    this.#names.push(name);
    this.#bytes.push(bytes);
    this.#idByName.set(name, id);
    if (id * 2 > this.#slots.length) this.#grow();
    place(this.#slots, id, hash);
    return id;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    for (let id = 1; id < this.#bytes.length - 1; id++) {
      const bytes = this.#bytes[id]!; // id is below the length
      place(slots, id, hashBytes(bytes, 0, bytes.length));
    }
    this.#slots = slots;
  }
}

function place(slots: Uint32Array, id: number, hash: number): void {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = id;
}

/** FNV-1a, 32 bits. */
function hashBytes(source: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ source[at]!, 0x01000193); // at is within the caller's range
  return hash >>> 0;
}

function equalBytes(bytes: Uint8Array, source: Uint8Array, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== source[start + at]) return false;
  return true;
}
