/**
 * Lines that tell which they are, so that what was written can be compared with what has arrived, number by number. The number
 * stands at both ends, so that a line of which only the tail was read can be told, too.
 */
const LINE = /^record (\d+) \.* ?(\d+)$/;

/** Bytes of a numbered line without its newline. */
export const NUMBERED_LINE_BYTES = 100;

/** `record 7 ........ 7`, padded to its length. */
export function numberedLine(number: number): string {
  const [head, tail] = [`record ${number} `, ` ${number}`];
  return `${head}${'.'.repeat(NUMBERED_LINE_BYTES - head.length - tail.length)}${tail}`;
}

/** The number of a line; undefined where the text is no such line as a whole. */
export function numberOf(text: string): number | undefined {
  const [, head, tail] = LINE.exec(text) ?? [];
  const isWhole = head !== undefined && head === tail && text.length === NUMBERED_LINE_BYTES;
  return isWhole ? Number(head) : undefined;
}

/** Whether a text is the tail of such a line, and not the whole of it. */
export function isTailOfLine(text: string): boolean {
  const [, number] = /(\d+)$/.exec(text) ?? [];
  if (number === undefined || text.length >= NUMBERED_LINE_BYTES) return false;
  // Cut within the number at its end, any digits are a tail.
  return text === number || numberedLine(Number(number)).endsWith(text);
}
