/**
 * Memory for what is read of files, shared by all of them: a file that has been read to its end gives back what it had, and the next
 * one takes it. Memory of its own for each file would stay until the garbage collector comes by, and it does not come by in time
 * where hundreds of files are opened one after the other.
 */

export interface Block {
  readonly bytes: Buffer;
  /** On the same bytes, from the first one. */
  readonly view: DataView;
}

export const NO_BLOCK: Block = createBlock(0);

const MIN_BLOCK_BYTES = 16 * 1024;
const MAX_BLOCK_BYTES = 256 * 1024;

/** What is kept of blocks that nobody has; two files that are read at full speed take less than a quarter. */
const MAX_IDLE_BYTES = 4 * 1024 * 1024;

/** What may be taken before blocks are to be small. */
const PLENTY_BYTES = 8 * 1024 * 1024;

/** By their size, a power of two. */
const idle = new Map<number, Block[]>();
let idleBytes = 0;
let takenBytes = 0;

/** Whether so many files are being read at once that none should take more than it must. */
export function isScarce(): boolean {
  return takenBytes > PLENTY_BYTES;
}

/** A block of at least `bytes` bytes, with anything in it. Those of more than 256 KiB are not shared. */
export function takeBlock(bytes: number): Block {
  if (bytes > MAX_BLOCK_BYTES) return createBlock(bytes);
  let size = MIN_BLOCK_BYTES;
  while (size < bytes) size *= 2;
  takenBytes += size;
  const block = idle.get(size)?.pop();
  if (block === undefined) return createBlock(size);
  idleBytes -= size;
  return block;
}

/** Gives a block back, which nobody may look at any more. */
export function giveBack(block: Block): void {
  const size = block.bytes.length;
  if (size === 0 || size > MAX_BLOCK_BYTES) return;
  takenBytes -= size;
  if (idleBytes + size > MAX_IDLE_BYTES) return;
  const blocks = idle.get(size);
  if (blocks === undefined) idle.set(size, [block]);
  else blocks.push(block);
  idleBytes += size;
}

function createBlock(size: number): Block {
  const bytes = Buffer.allocUnsafeSlow(size);
  return { bytes, view: new DataView(bytes.buffer) };
}
