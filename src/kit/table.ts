/** Text for people: columns, counts and sizes. */

/** Rows under their headings, two blanks between columns; cells that are numbers stand to the right. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const texts = [headings, ...rows].map((row) => row.map((cell) => cellText(cell)));
  const widths = headings.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  const isRight = headings.map((_, column) => typeof rows[0]?.[column] === 'number');
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (isRight[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return texts.map((row) => `${line(row)}\n`).join('');
}

/** On one line: line breaks, and what else a peer may have put there, as escapes. */
function cellText(cell: string | number): string {
  return typeof cell === 'number' ? String(cell) : oneLine(cell);
}

export function oneLine(text: string): string {
  return printable(JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll('\\\\', '\\'));
}

/** `1 letter`, `2 letters`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function sizeText(bytes: number): string {
  if (bytes < 1024) return count(bytes, 'byte');
  const power = bytes < 1024 ** 2 ? 1 : bytes < 1024 ** 3 ? 2 : 3;
  return `${(bytes / 1024 ** power).toFixed(1)} ${['', 'KiB', 'MiB', 'GiB'][power]}`;
}

/** A file may hold what moves the cursor of a terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\uFFFD');
}
