/** What a record takes from the members of a JSON line: its service, severity and time. */
import { NameTable } from '../core/names.ts';
import { SEVERITY_UNSET, severityFromText } from '../core/severity.ts';
import { type LineScanner, NOT_A_NAME } from './line_scanner/line_scanner.ts';
import { TimestampReader } from './timestamp.ts';
import { cutText } from './utf8.ts';

/** Names of the top-level members that are read. */
export interface JsonKeys {
  readonly service: string;
  readonly severity: string;
  readonly time: string;
}

/** Index of each among the keys that the scanner looks for. */
const SERVICE = 0;
const SEVERITY = 1;
const TIME = 2;

/** A longer service name is cut; nothing sensible is that long, and names are kept in memory. */
const MAX_SERVICE_BYTES = 128;
const MAX_SEVERITY_BYTES = 16;

const QUOTE = 0x22;

/** The keys in the order in which `JsonMembers` expects its scanner to have them. */
export function scannerKeys(keys: JsonKeys): string[] {
  return [keys.service, keys.severity, keys.time];
}

export class JsonMembers {
  readonly #scanner: LineScanner;
  readonly #timestamps = new TimestampReader();
  #services = new NameTable();
  #generation = -1;
  /** By the scanner's name ids: id in `#services`, and severity. */
  #serviceOfName: number[] = [];
  #severityOfName: number[] = [];
  #serviceNames: Uint16Array = new Uint16Array(0);
  #severityNames: Uint16Array = new Uint16Array(0);
  #times: Float64Array = new Float64Array(0);

  constructor(scanner: LineScanner) {
    this.#scanner = scanner;
  }

  /** Reads the members of all rows of the scanner's last scan; ids of services are those of `services`. */
  read(rows: number, services: NameTable): void {
    const scanner = this.#scanner;
    this.#serviceNames = scanner.readNames(SERVICE, rows);
    this.#severityNames = scanner.readNames(SEVERITY, rows);
    this.#times = scanner.readTimes(TIME, rows);
    if (this.#services === services && this.#generation === scanner.generation) return;
    this.#services = services;
    this.#generation = scanner.generation;
    this.#serviceOfName = [];
    this.#severityOfName = [];
  }

  /** Id of the service that a row names; 0 where it names none. */
  service(row: number): number {
    const start = this.#scanner.valueStarts(SERVICE)[row]!; // rows are below the count, here and below
    const end = this.#scanner.valueEnds(SERVICE)[row]!;
    const { text } = this.#scanner;
    if (text[start] !== QUOTE || end - start <= 2) return NameTable.NONE;
    const name = this.#serviceNames[row]!;
    if (name !== NOT_A_NAME) return (this.#serviceOfName[name] ??= this.#services.intern(this.#scanner.name(name)));
    return this.#services.intern(cutText(String(JSON.parse(text.toString('utf8', start, end))), MAX_SERVICE_BYTES));
  }

  /** Severity number of a row; 0 where it has none that is known. */
  severity(row: number): number {
    const name = this.#severityNames[row]!;
    if (name !== NOT_A_NAME) return (this.#severityOfName[name] ??= severityFromText(this.#scanner.name(name)));
    const start = this.#scanner.valueStarts(SEVERITY)[row]!;
    const end = this.#scanner.valueEnds(SEVERITY)[row]!;
    if (end === 0 || end - start > MAX_SEVERITY_BYTES) return SEVERITY_UNSET;
    const value = this.#scanner.text.toString('utf8', start, end);
    return severityFromText(value.startsWith('"') ? String(JSON.parse(value)) : value);
  }

  /** Event time of a row, in microseconds; -1 where it has none that can be read. */
  time(row: number): number {
    const time = this.#times[row]!;
    if (time > -2) return time;
    const { text } = this.#scanner;
    return this.#timestamps.readJson(text, this.#scanner.valueStarts(TIME)[row]!, this.#scanner.valueEnds(TIME)[row]!);
  }
}
