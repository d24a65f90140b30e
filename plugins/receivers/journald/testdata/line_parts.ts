/** Lines of a stream that journald has cut into entries. */
import type { EntrySpec } from './journal_writer.ts';

export const START = 1_700_000_000_000_000;

/** An entry of a stream, as journald makes it of a line or a part of one. Times are milliseconds since `START`. */
export function part(
  stream: string,
  message: string | Uint8Array,
  isContinued: boolean,
  atMs = 0,
  more: readonly string[] = [],
): EntrySpec {
  const realtime = START + atMs * 1000;
  const lineBreak = isContinued ? ['_LINE_BREAK=line-max'] : [];
  return {
    realtime,
    fields: [{ name: 'MESSAGE', value: message }, `_STREAM_ID=${stream}`, 'SYSLOG_IDENTIFIER=app', ...lineBreak, ...more],
  };
}
