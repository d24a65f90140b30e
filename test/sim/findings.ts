/** Where the records of a schedule are at its end: in the stores, and among the dead letters. */
import { asMap, keyOf, textIn, type Written } from './records.ts';
import type { Source } from './source.ts';
import type { Store, Stored } from './store.ts';

/** A record as a store has it for the first time, for one destination. */
export interface Arrival {
  readonly written: Written;
  readonly id: string;
  /** The receiver that has it, and its mark: the way that it took. */
  readonly route: string;
}

export interface NamedStore {
  readonly name: string;
  readonly store: Store;
}

export class Findings {
  /** What is where it should not be. */
  readonly violations: string[] = [];
  /** By destination, in the order in which stores got them; each record once for a destination. */
  readonly arrivals = new Map<string, Map<Written, Arrival>>();
  /** Dead letters by destination. */
  readonly letters = new Map<string, Set<Written>>();
  readonly #sources: ReadonlyMap<string, Source>;
  readonly #byId = new Map<string, Written>();
  readonly #ids = new Map<Written, string>();

  constructor(destinations: readonly string[], sources: readonly Source[]) {
    this.#sources = new Map(sources.map((source) => [source.options.name, source]));
    for (const destination of destinations) {
      this.arrivals.set(destination, new Map());
      this.letters.set(destination, new Set());
    }
  }

  /** Looks through the stores of all receivers. */
  addStores(stores: readonly NamedStore[]): void {
    const all = stores.flatMap(({ name, store }) => store.lines.map((stored) => ({ name, ...stored })));
    for (const stored of all.sort((a, b) => a.order - b.order)) this.#addStored(stored.name, stored);
  }

  /** Looks through the dead letters on a disk; `receiver` is whose they are, undefined for the agent's. */
  addLetters(files: ReadonlyMap<string, Buffer>, receiver: string | undefined): void {
    for (const [path, content] of files) {
      if (!path.endsWith('.ndjson')) continue;
      for (const line of content.toString().split('\n').slice(0, -1)) this.#addLetter(line, receiver);
    }
  }

  /** Whether every destination has the record, or a letter of it is kept for it. */
  isEverywhere(record: Written): boolean {
    return [...this.arrivals].every(([name, arrivals]) => arrivals.has(record) || this.letters.get(name)?.has(record) === true);
  }

  isLetter(record: Written): boolean {
    return [...this.letters.values()].some((letters) => letters.has(record));
  }

  #addStored(receiver: string, { line, record, mark }: Stored): void {
    const written = record === undefined ? undefined : this.#find(record.text);
    const arrivals = this.arrivals.get(mark ?? receiver);
    if (record === undefined || written === undefined || record.service !== written.service) {
      this.violations.push(`${receiver} has stored what was never written: ${line.slice(0, 300)}`);
    } else if (arrivals === undefined) {
      this.violations.push(`${receiver} has stored a record that was not meant for it: ${line.slice(0, 300)}`);
    } else {
      this.#checkId(record.id, written);
      if (!arrivals.has(written)) arrivals.set(written, { written, id: record.id, route: `${receiver} as ${mark ?? receiver}` });
    }
  }

  #addLetter(line: string, receiver: string | undefined): void {
    const letter = asMap(JSON.parse(line));
    const text = textIn(letter['line']);
    const written = text === undefined ? undefined : this.#find(text);
    const { destination } = asMap(receiver === undefined ? letter : letter['line']);
    const letters = this.letters.get(typeof destination === 'string' ? destination : (receiver ?? ''));
    if (written === undefined || letters === undefined) this.violations.push(`a dead letter of no record: ${line.slice(0, 300)}`);
    else if (written.trouble === 'none') this.violations.push(`a dead letter that nobody refused: ${line.slice(0, 300)}`);
    else letters.add(written);
  }

  /** The same id for the same record, whatever way it came, and for no other. */
  #checkId(id: string, written: Written): void {
    const other = this.#byId.get(id) ?? written;
    if (other !== written) this.violations.push(`${id} is the id of ${nameOf(written)} and of ${nameOf(other)}`);
    this.#byId.set(id, written);
    const known = this.#ids.get(written) ?? id;
    if (known !== id) this.violations.push(`${nameOf(written)} has the ids ${known} and ${id}`);
    this.#ids.set(written, id);
  }

  #find(text: string): Written | undefined {
    const key = keyOf(text);
    const written = this.#sources.get(key?.source ?? '')?.written[key?.index ?? -1];
    return written?.text === text ? written : undefined;
  }
}

export function nameOf({ source, index }: Written): string {
  return `${source}#${index}`;
}
