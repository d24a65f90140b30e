/**
 * What an ENTRY object says of itself ("Journal File Format", section "Entry Objects"), as members that are overwritten with each
 * entry, since an object per entry would cost more than reading it.
 */
import { ENTRY, MAX_EXACT, u64 } from './format.ts';

export class EntryNumbers {
  /** The words of `bootId`, which are faster to compare. */
  readonly #boot = new Uint32Array(4);
  seqnum = 0;
  /** Microseconds. */
  realtime = 0;
  /** Microseconds since the boot. */
  monotonic = 0;
  /** The two words of a hash over what the entry holds, which is the same in every file. */
  hashHigh = 0;
  hashLow = 0;
  /** 32 hexadecimal digits. */
  bootId = '';

  /** Takes the numbers over from the object at `at`; false where they are not those of any entry. */
  protected readNumbers(bytes: Buffer, view: DataView, at: number): boolean {
    this.seqnum = u64(view, at + ENTRY.seqnum);
    this.realtime = u64(view, at + ENTRY.realtime);
    this.monotonic = u64(view, at + ENTRY.monotonic);
    this.hashHigh = view.getUint32(at + ENTRY.xorHash + 4, true);
    this.hashLow = view.getUint32(at + ENTRY.xorHash, true);
    if (this.seqnum < 1 || this.seqnum > MAX_EXACT || this.realtime < 1 || this.realtime > MAX_EXACT) return false;
    this.#noteBoot(bytes, view, at + ENTRY.bootId);
    return true;
  }

  /** Sets `bootId` from 16 bytes; a string is only made where it is another boot than that of the entry before. */
  #noteBoot(bytes: Buffer, view: DataView, at: number): void {
    const boot = this.#boot;
    let isSame = this.bootId !== '';
    for (let word = 0; word < 4; word++) {
      const value = view.getUint32(at + word * 4, true);
      isSame &&= boot[word] === value;
      boot[word] = value;
    }
    if (!isSame) this.bootId = bytes.toString('hex', at, at + 16);
  }
}
