/**
 * The columns in which results lie: `capacity` entries of 32 bits each, one a row. Start, end, and whether the row is a JSON object; then
 * for an object start and end of each key's value (0 and 0 where it is not there), how many other members it has, start and end of
 * the first other's name, and start of its value. Offsets are relative to the text.
 */
export const IS_JSON: i32 = 2;
export const FIRST_PICK: i32 = 3;

let columnsAt: usize = 0;
export let capacity: i32 = 0;

export function setColumns(at: usize, entries: i32): void {
  columnsAt = at;
  capacity = entries;
}

// @ts-ignore: decorator
@inline
export function put(column: i32, row: i32, value: i32): void {
  store<i32>(columnsAt + (<usize>(column * capacity + row) << 2), value);
}

// @ts-ignore: decorator
@inline
export function get(column: i32, row: i32): u32 {
  return load<u32>(columnsAt + (<usize>(column * capacity + row) << 2));
}
