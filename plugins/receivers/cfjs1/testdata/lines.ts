/** A line of cfjs1 with a message. */
export function lineOf(message: string, format = 'app'): string {
  return JSON.stringify({ format, [format]: { message } });
}

/** A line of cfjs1 with an id; its message is the id. */
export function lineWithId(id: string, mark?: string): string {
  const line = { format: 'app', app: { id, message: id } };
  return JSON.stringify(mark === undefined ? line : { ...line, destination: mark });
}

/** The message of a line whose wrapper has one. */
export function messageOf(line: string): string {
  const parsed: unknown = JSON.parse(line);
  const record: unknown = Object.values(Object(parsed)).find((value) => typeof value === 'object');
  return String(Object(record).message);
}
