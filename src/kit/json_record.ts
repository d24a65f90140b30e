/** What the hot path wants to know of a JSON log line: its service, severity and time, from the members that are named for them. */
import { NameTable } from '../core/names.ts';
import { SEVERITY_UNSET, severityFromText } from '../core/severity.ts';
import { JsonObjectScanner, type Pick } from './json_scan.ts';
import { TimestampReader } from './timestamp.ts';

/** Names of the top-level members that are read. */
export interface JsonKeys {
  readonly service: string;
  readonly severity: string;
  readonly time: string;
}

/** A longer service name is cut; nothing sensible is that long, and names are kept in memory. */
const MAX_SERVICE_BYTES = 128;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export class JsonRecordReader {
  readonly #scanner: JsonObjectScanner;
  readonly #service: Pick;
  readonly #severity: Pick;
  readonly #time: Pick;
  readonly #timestamps = new TimestampReader();
  readonly #levels = new NameTable(256);
  readonly #severityOfLevel: number[] = [];

  constructor(keys: JsonKeys) {
    this.#scanner = new JsonObjectScanner([keys.service, keys.severity, keys.time]);
    const [service, severity, time] = this.#scanner.picks;
    this.#service = service!; // there is one pick for each name, here and below
    this.#severity = severity!;
    this.#time = time!;
  }

  /** Offset behind the object that starts at `start`, or -1 where it is not valid JSON. See `JsonObjectScanner.scan`. */
  scan(bytes: Buffer, start: number): number {
    return this.#scanner.scan(bytes, start);
  }

  /** Id in `names` of the service that the object scanned last names; 0 where it names none. */
  service(bytes: Buffer, names: NameTable): number {
    const { start, end } = this.#service;
    if (end - start <= 2 || bytes[start] !== QUOTE) return 0;
    for (let at = start + 1; at < end - 1; at++) {
      if (bytes[at] === BACKSLASH) return names.intern(cutName(unescape(bytes, start, end)));
    }
    if (end - start - 2 > MAX_SERVICE_BYTES) return names.intern(cutName(bytes.toString('utf8', start + 1, end - 1)));
    return names.internBytes(bytes, start + 1, end - 1);
  }

  /** Severity number of the object scanned last; 0 where it has none that is known. */
  severity(bytes: Buffer): number {
    let { start, end } = this.#severity;
    if (end === 0) return SEVERITY_UNSET;
    if (bytes[start] === QUOTE) {
      start += 1;
      end -= 1;
    }
    if (end <= start || end - start > 16) return SEVERITY_UNSET;
    if (this.#levels.isFull) return severityFromText(bytes.toString('latin1', start, end));
    const id = this.#levels.internBytes(bytes, start, end);
    return (this.#severityOfLevel[id] ??= severityFromText(this.#levels.name(id)));
  }

  /** Event time of the object scanned last, in microseconds; -1 where it has none that can be read. */
  time(bytes: Buffer): number {
    const { start, end } = this.#time;
    return end === 0 ? -1 : this.#timestamps.readJson(bytes, start, end);
  }
}

function unescape(bytes: Buffer, start: number, end: number): string {
  return String(JSON.parse(bytes.toString('utf8', start, end)));
}

function cutName(name: string): string {
  const bytes = Buffer.from(name.toWellFormed());
  if (bytes.length <= MAX_SERVICE_BYTES) return name.toWellFormed();
  return bytes.toString('utf8', 0, utf8Floor(bytes, 0, MAX_SERVICE_BYTES));
}

/** The largest offset up to `end` at which no UTF-8 sequence is cut through, for bytes that are UTF-8 as far as they go. */
export function utf8Floor(bytes: Uint8Array, start: number, end: number): number {
  let lead = end - 1;
  while (lead >= start && lead > end - 4 && (bytes[lead]! & 0xc0) === 0x80) lead--; // lead is within the range
  if (lead < start) return end;
  const first = bytes[lead]!; // see above
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return lead + length > end ? lead : end;
}
