import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { giveBack, takeBlock } from './blocks.ts';
import { Windows } from './windows.ts';

const MIB = 1024 * 1024;

/** Windows on a file whose every 8 bytes hold their offset, and a way to read them. */
function windowsOn(t: { teardown(run: () => void): unknown }, bytes: number) {
  const path = join(temporaryDirectory(t), 'file');
  const content = Buffer.alloc(bytes);
  for (let at = 0; at + 8 <= bytes; at += 8) content.writeBigUInt64LE(BigInt(at), at);
  writeFileSync(path, content);
  const fd = openSync(path, 'r+');
  t.teardown(() => closeSync(fd));
  const windows = new Windows(fd);
  windows.grow(bytes, bytes, bytes);
  /** The number at `offset`, from the window that `find` gave; -1 where it gave none. */
  const read = (at: number): number => (at < 0 ? -1 : Number(windows.view.getBigUint64(at, true)));
  return { windows, read, fd };
}

void test('bytes are found wherever they are asked for, ahead, far back and back again', async (t) => {
  const { windows, read } = windowsOn(t, 3 * MIB);
  let previous = 0;
  for (let offset = 0; offset < 3 * MIB; offset += 4096) {
    t.equal(read(windows.findAhead(offset, 64, previous)), offset);
    for (const back of [0, offset >> 1, Math.max(0, offset - 64)]) {
      const aligned = back & ~7;
      if (read(windows.find(aligned, 16)) !== aligned) t.fail(`found something else at ${aligned}`);
    }
    previous = offset;
  }
});

void test('bytes that the file does not have are not found', async (t) => {
  const { windows } = windowsOn(t, 1000);
  t.equal(windows.find(992, 16), -1);
  t.equal(windows.findAhead(992, 16, 0), -1);
  t.equal(windows.find(2 ** 53, 8), -1);
  windows.grow(10_000, 10_000, 1000);
  t.equal(windows.find(2000, 8), -1, 'though the header says that there are more');
  t.equal(windows.findAhead(2000, 8, 0), -1);
  t.not(windows.find(984, 16), -1);
});

void test('an object that is larger than a window is found as a whole, and its memory is given back', async (t) => {
  const { windows, read } = windowsOn(t, 3 * MIB);
  t.equal(read(windows.find(8, 2 * MIB)), 8);
  t.equal(windows.bytes.length, 2 * MIB);
  t.equal(read(windows.find(2 * MIB, 8)), 2 * MIB);
  t.ok(windows.bytes.length < MIB, 'the window for it is not kept');
  t.equal(read(windows.find(16, 100_000)), 16);
  t.equal(read(windows.find(24, 90_000)), 24, 'in the same window');
  windows.release();
  t.equal(windows.bytes.length, 0);
  t.equal(read(windows.find(16, 100_000)), 16);
});

void test('where very many files are read at once, a window stays small', async (t) => {
  const largest = (): number => {
    const { windows } = windowsOn(t, MIB);
    let bytes = 0;
    for (let offset = 0; offset < MIB; offset += 4096) {
      t.not(windows.findAhead(offset, 64, offset), -1);
      bytes = Math.max(bytes, windows.bytes.length);
    }
    windows.release();
    return bytes;
  };
  t.equal(largest(), 256 * 1024);
  const taken = Array.from({ length: 600 }, () => takeBlock(16 * 1024));
  t.equal(largest(), 16 * 1024);
  for (const block of taken) giveBack(block);
  t.equal(largest(), 256 * 1024);
});

void test('what was not settled when it was read is read again when the file has grown', async (t) => {
  const { windows, read, fd } = windowsOn(t, 4096);
  windows.findAhead(0, 64, 0);
  windows.find(1024, 8);
  const changed = Buffer.alloc(8);
  changed.writeBigUInt64LE(777n);
  writeSync(fd, changed, 0, 8, 2048);
  t.equal(read(windows.find(2048, 8)), 2048, 'the window has what was there');
  windows.grow(4096, 4096, 2000);
  t.equal(read(windows.find(2048, 8)), 777);
  t.equal(read(windows.find(1024, 8)), 1024);
});
