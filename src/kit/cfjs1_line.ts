/**
 * Reads the envelope of a cfjs1 line (docs/CFJS1.md): `format`, the wrapper that bears its name, and the optional `destination`.
 * The whole line is validated; what is inside the wrapper stays bytes.
 */
import { JsonObjectScanner } from './json_scan.ts';
import { isFormatName } from './options.ts';

/** Formats and destinations of lines repeat, so the strings are made once; a bound on what a hostile peer can make us keep. */
const MAX_REMEMBERED = 1024;

export class Cfjs1LineReader {
  readonly #scanner = new JsonObjectScanner(['format', 'destination']);
  readonly #remembered = new Map<string, boolean>();
  /** Of the line read last: kind of log and topic. */
  format = '';
  /** The destination that the record was meant for, where it came by another route. */
  destination: string | undefined = undefined;
  /** Offset behind the object's closing brace. */
  end = 0;

  /** Reads the line at `start` of `bytes`, which ends with the newline at `newline`. Returns why it is not cfjs1; empty where it is. */
  read(bytes: Buffer, start: number, newline: number): string {
    const scanner = this.#scanner;
    this.end = scanner.scan(bytes, start);
    if (this.end < 0 || !isBlank(bytes, this.end, newline)) return 'not a JSON object';
    const [format, destination] = scanner.picks;
    const { other } = scanner;
    if (format === undefined || bytes[format.start] !== 0x22) return 'no member "format" that is a string';
    this.format = bytes.toString('latin1', format.start + 1, format.end - 1);
    if (!this.#isName(this.format)) return 'the format is not a name of letters, digits, dot, underscore and dash';
    if (scanner.otherCount !== 1 || !this.#isWrapper(bytes, other.nameStart, other.nameEnd))
      return 'no wrapper named by the format, or other members beside it';
    if (bytes[other.start] !== 0x7b) return 'the wrapper is not an object';
    this.destination = undefined;
    if (destination === undefined || destination.end === 0) return '';
    if (bytes[destination.start] !== 0x22) return 'the destination is not a string';
    const name = bytes.toString('latin1', destination.start + 1, destination.end - 1);
    this.destination = name;
    return this.#isName(name) ? '' : 'the destination is not a name of letters, digits, dot, underscore and dash';
  }

  #isWrapper(bytes: Buffer, start: number, end: number): boolean {
    if (end - start !== this.format.length) return false;
    for (let index = 0; index < this.format.length; index++)
      if (bytes[start + index] !== this.format.charCodeAt(index)) return false;
    return true;
  }

  #isName(name: string): boolean {
    const known = this.#remembered.get(name);
    if (known !== undefined) return known;
    const isName = isFormatName(name);
    if (this.#remembered.size < MAX_REMEMBERED) this.#remembered.set(name, isName);
    return isName;
  }
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== 0x20 && bytes[at] !== 0x09 && bytes[at] !== 0x0d) return false;
  return true;
}
