/** What the formats have in common: an entry is what its head says, and the pieces of its fields. */
import type { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import type { EntryHead } from './entry_head.ts';
import type { EntryPieces, FieldEncoder } from './pieces.ts';

export interface EntryFormat extends FieldEncoder {
  /** Appends a whole entry. */
  write(out: ByteWriter, head: EntryHead, pieces: EntryPieces): void;
}

const BOOT_ID = Buffer.from('_BOOT_ID');

/** Whether a name is that of the one field that the ENTRY object has too, and that journalctl takes from there. */
export function isBootId(bytes: Buffer, start: number, end: number): boolean {
  return end - start === BOOT_ID.length && bytes.compare(BOOT_ID, 0, BOOT_ID.length, start, end) === 0;
}
