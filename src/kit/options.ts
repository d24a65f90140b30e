/**
 * Option types that components share. An option is declared once, in a component's zod schema: `describe` is its documentation,
 * `default` (or `prefault` where the type converts its input) its default; messages, the annotated configuration, the JSON Schema
 * and the README tables are all made from that. An option that has no default shows `meta({ examples: [...] })` instead, and a
 * required one must have an example. A type that is more than a string says what it is called in `valueType`, which words its
 * `range` has, and the `pattern` of its text for editors.
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { OnFull } from '../core/component.ts';

const DURATION_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

const BYTE_UNITS = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;
const BYTES = /^(\d+)(B|KB|MB|GB|KiB|MiB|GiB)?$/;

export interface Bounds {
  readonly min: string;
  readonly max?: string;
}

/** A duration such as `500ms`, `5s`, `2m`, `1h`, `1d`; milliseconds once it is checked. Bounds are inclusive. */
export function duration(bounds: Bounds = { min: '0s' }) {
  return bounded('duration', DURATION, parseDuration, 'a duration such as 500ms, 5s, 2m or 1h', bounds);
}

/** A size such as `64KiB`, `10MiB`, `1GB` or plain bytes; bytes once it is checked. Bounds are inclusive. */
export function byteSize(bounds: Bounds = { min: '0' }) {
  return bounded('size', BYTES, parseByteSize, 'a size such as 256KiB, 64MiB or 1GB', bounds);
}

function bounded(valueType: string, pattern: RegExp, parse: (text: string) => number, what: string, bounds: Bounds) {
  const min = parse(bounds.min);
  const max = bounds.max === undefined ? Infinity : parse(bounds.max);
  const range = bounds.max === undefined ? `at least ${bounds.min}` : `from ${bounds.min} to ${bounds.max}`;
  return z
    .union([z.string(), z.int()], { error: `must be ${what}` })
    .transform(String)
    .pipe(
      z
        .string()
        .regex(pattern, { error: `must be ${what}` })
        .transform(parse),
    )
    .refine((value) => value >= min && value <= max, { error: `must be ${range}` })
    .meta({ valueType, pattern: pattern.source, ...(min > 0 || max < Infinity ? { range } : {}) });
}

/** Milliseconds of a duration that matches the option's pattern; throws a RangeError on others. */
export function parseDuration(text: string): number {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  if (amount === undefined || !isKeyOf(DURATION_MS, unit)) throw new RangeError(`not a duration: ${text}`);
  return Number(amount) * DURATION_MS[unit];
}

/** Bytes of a size that matches the option's pattern; throws a RangeError on others. */
export function parseByteSize(text: string): number {
  const [, amount, unit = 'B'] = BYTES.exec(text) ?? [];
  if (amount === undefined || !isKeyOf(BYTE_UNITS, unit)) throw new RangeError(`not a size: ${text}`);
  return Number(amount) * BYTE_UNITS[unit];
}

function isKeyOf<T extends object>(table: T, key: string | undefined): key is Extract<keyof T, string> {
  return key !== undefined && Object.hasOwn(table, key);
}

/** An absolute path, so that it means the same wherever the agent is started. */
export function absolutePath() {
  return z
    .string()
    .refine(isAbsolute, { error: 'must be an absolute path, one that begins with /' })
    .meta({ valueType: 'path', pattern: '^/' });
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

const HOST_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/;

/** `host:port`, IPv6 in brackets; port 0 lets the system choose where it is listened on. */
export function address() {
  return z
    .string()
    .refine((text) => parseAddress(text) !== undefined, { error: 'must be host:port, such as 127.0.0.1:6514 or [::1]:6514' })
    .transform((text): Address => parseAddress(text) ?? { host: '', port: 0 })
    .meta({ valueType: 'host:port', pattern: HOST_PORT.source });
}

export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, port] = HOST_PORT.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || port === undefined || Number(port) > 65535) return undefined;
  return { host, port: Number(port) };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const FORMAT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Whether `name` may be a cfjs1 format, and so a topic and a file name: letters, digits, dot, underscore, dash; 128 at most. */
export function isFormatName(name: string): boolean {
  return FORMAT_NAME.test(name) && !name.includes('..');
}

/** Names of the members that stand beside the wrapper, which bears the format's name. */
const ENVELOPE_MEMBERS: readonly string[] = ['format', 'destination'];

/** The cfjs1 format and wrapper name of a receiver's records. */
export function formatName() {
  return z
    .string()
    .refine(isFormatName, { error: 'must be a cfjs1 format name: letters, digits, dot, underscore and dash, 128 at most' })
    .refine((name) => !ENVELOPE_MEMBERS.includes(name), {
      error: 'must not be "format" or "destination", which are names of other members of a cfjs1 line',
    })
    .refine((name) => !name.startsWith('sluice.'), {
      error: 'must not begin with "sluice.", which the protocol keeps for itself',
    });
}

const ON_FULL: readonly [OnFull, ...OnFull[]] = ['drop_oldest', 'drop_newest', 'block'];

/** The overflow rule of a receiver whose source cannot be asked again. */
export function onFull() {
  return z.enum(ON_FULL);
}
