/** Up to so many bytes a loop is faster than `Buffer.copy`, which makes a view of them first. */
const MAX_LOOP_BYTES = 32;

/** Copies the bytes `start` to `end` of `source` to `target` at `at`, and returns the offset behind them. */
export function copyBytes(target: Buffer, at: number, source: Buffer, start: number, end: number): number {
  if (end - start > MAX_LOOP_BYTES) return at + source.copy(target, at, start, end);
  let to = at;
  for (let from = start; from < end; from++) target[to++] = source[from]!; // from is within the caller's range
  return to;
}
