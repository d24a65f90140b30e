const NEWLINE = 0x0a;

export interface LinePart {
  readonly bytes: Buffer;
  /** Index of its first record among the lines. */
  readonly first: number;
  readonly records: number;
}

export interface LineParts {
  /** In order; none is empty. */
  readonly parts: readonly LinePart[];
  /** Indexes of lines that alone are longer than a part may be; they are in none. */
  readonly tooLong: readonly number[];
}

/** The bytes of `count` lines from the one at index `first` on; each line ends with a newline. */
export function selectLines(lines: Buffer, first: number, count: number): Buffer {
  const start = skipLines(lines, 0, first);
  return lines.subarray(start, skipLines(lines, start, count));
}

function skipLines(lines: Buffer, from: number, count: number): number {
  let at = from;
  for (let skipped = 0; skipped < count; skipped++) at = lines.indexOf(NEWLINE, at) + 1;
  return at;
}

/** Divides lines, each of which ends with a newline, into parts of whole lines and of at most `maxBytes`. */
export function divideLines(lines: Buffer, maxBytes: number): LineParts {
  const parts: LinePart[] = [];
  const tooLong: number[] = [];
  let from = 0;
  let first = 0;
  let index = 0;
  const endPart = (end: number): void => {
    if (index > first) parts.push({ bytes: lines.subarray(from, end), first, records: index - first });
    from = end;
    first = index;
  };
  for (let at = 0; at < lines.length; index++) {
    const next = lines.indexOf(NEWLINE, at) + 1;
    if (next - from > maxBytes) endPart(at);
    if (next - at > maxBytes) {
      tooLong.push(index);
      from = next;
      first = index + 1;
    }
    at = next;
  }
  endPart(lines.length);
  return { parts, tooLong };
}
