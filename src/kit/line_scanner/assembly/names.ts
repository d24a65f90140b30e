/** Names, interned: the same bytes get the same small number, for as long as the table is not emptied. */
import { get, IS_JSON } from './columns';

/** Longest name that is interned, and its room in the table. */
const MAX_NAME: i32 = 128;

/** Also the mark of an empty slot. */
const NOT_A_NAME: i32 = 0xffff;

/** The table: slots of 16 bits (open addressing), then lengths of 32 bits, then bytes. */
let slotsAt: usize = 0;
let slotMask: u32 = 0;
let nameLengthsAt: usize = 0;
let namesAt: usize = 0;
let maxNames: i32 = 0;
let nameCount: i32 = 0;

export function setNames(slots: usize, slotCount: u32, lengths: usize, names: usize, max: i32): void {
  slotsAt = slots;
  slotMask = slotCount - 1;
  nameLengthsAt = lengths;
  namesAt = names;
  maxNames = max;
}

/** How many names the table holds; ids are below it. */
export function names(): i32 {
  return nameCount;
}

export function forgetNames(): void {
  memory.fill(slotsAt, 0xff, (<usize>slotMask + 1) * 2);
  nameCount = 0;
}

/**
 * Ids of the names that the ranges of `column` and the one behind it hold, one of 16 bits a row at `to`: a string's inside, or other
 * text as it is. 0xffff stands for what the caller must look at: an absent, escaped or long one, or one that the table has no room
 * for.
 */
export function readNames(column: i32, rows: i32, base: usize, to: usize): void {
  for (let row = 0; row < rows; row++) store<u16>(to + (<usize>row << 1), <u16>nameId(base, column, row));
}

function nameId(base: usize, column: i32, row: i32): i32 {
  if (get(IS_JSON, row) == 0) return NOT_A_NAME;
  let start = base + get(column, row);
  let end = base + get(column + 1, row);
  if (end == base) return NOT_A_NAME;
  if (load<u8>(start) == 0x22) {
    start++;
    end--;
  }
  const length = <i32>(end - start);
  if (length <= 0 || length > MAX_NAME) return NOT_A_NAME;
  let hash: u32 = 0x811c9dc5;
  for (let at = start; at < end; at++) {
    const byte = <u32>load<u8>(at);
    if (byte == 0x5c) return NOT_A_NAME;
    hash = (hash ^ byte) * 0x01000193;
  }
  let slot = (hash ^ (hash >> 15)) & slotMask;
  while (true) {
    const id = <i32>load<u16>(slotsAt + (<usize>slot << 1));
    if (id == NOT_A_NAME) break;
    if (load<i32>(nameLengthsAt + (<usize>id << 2)) == length && isEqual(namesAt + <usize>id * MAX_NAME, start, length)) return id;
    slot = (slot + 1) & slotMask;
  }
  if (nameCount == maxNames) return NOT_A_NAME;
  const id = nameCount++;
  store<u16>(slotsAt + (<usize>slot << 1), <u16>id);
  store<i32>(nameLengthsAt + (<usize>id << 2), length);
  memory.copy(namesAt + <usize>id * MAX_NAME, start, length);
  return id;
}

function isEqual(name: usize, text: usize, length: i32): bool {
  for (let at: i32 = 0; at < length; at += 16) {
    const equal = <u32>i8x16.bitmask(i8x16.eq(v128.load(name + at), v128.load(text + at)));
    const wanted: u32 = length - at >= 16 ? 0xffff : (1 << (length - at)) - 1;
    if ((equal & wanted) != wanted) return false;
  }
  return true;
}
