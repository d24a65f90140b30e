/** What the ENTRY object itself says of an entry ("Journal File Format", section "Entry Objects"). */
import { ENTRY } from '../file/format.ts';
import type { JournalFile } from '../file/journal_file.ts';

/** A 64-bit number as two halves, the higher one first. */
export type Halves = Uint32Array;

export class EntryHead {
  readonly seqnum: Halves = new Uint32Array(2);
  /** Microseconds, as is the next. */
  readonly realtime: Halves = new Uint32Array(2);
  readonly monotonic: Halves = new Uint32Array(2);
  readonly xorHash: Halves = new Uint32Array(2);
  readonly #boot = new Uint32Array(4);
  /** 32 hexadecimal digits, as is the next. */
  bootId = '0'.repeat(32);
  seqnumId = '';

  /** Takes over the current entry of `file`; false where its bytes cannot be had any more. */
  read(file: JournalFile): boolean {
    const at = file.findEntry();
    if (at < 0) return false;
    const { view } = file.windows;
    readHalves(this.seqnum, view, at + ENTRY.seqnum);
    readHalves(this.realtime, view, at + ENTRY.realtime);
    readHalves(this.monotonic, view, at + ENTRY.monotonic);
    readHalves(this.xorHash, view, at + ENTRY.xorHash);
    this.#readBoot(view, at + ENTRY.bootId);
    this.seqnumId = file.header.seqnumId;
    return true;
  }

  #readBoot(view: DataView, at: number): void {
    const boot = this.#boot;
    let isSame = true;
    for (let word = 0; word < boot.length; word++) {
      const bits = view.getUint32(at + 4 * word);
      if (boot[word] === bits) continue;
      boot[word] = bits;
      isSame = false;
    }
    if (!isSame) this.bootId = [...boot].map((word) => word.toString(16).padStart(8, '0')).join('');
  }
}

function readHalves(halves: Halves, view: DataView, at: number): void {
  halves[0] = view.getUint32(at + 4, true);
  halves[1] = view.getUint32(at, true);
}
