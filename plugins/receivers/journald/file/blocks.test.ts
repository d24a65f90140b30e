import { test } from 'tap';
import { type Block, giveBack, NO_BLOCK, takeBlock } from './blocks.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

void test('what one has given back the next one takes', async (t) => {
  const block = takeBlock(50 * KIB);
  t.same([block.bytes.length, block.view.byteLength], [64 * KIB, 64 * KIB]);
  t.not(takeBlock(50 * KIB), block);
  giveBack(block);
  t.not(takeBlock(20 * KIB), block, 'no more of it than is needed');
  t.equal(takeBlock(33 * KIB), block);
  t.not(takeBlock(33 * KIB), block);
});

void test('very large blocks have their own size and are not kept, and nothing is no block', async (t) => {
  const large = takeBlock(MIB + 1);
  t.equal(large.bytes.length, MIB + 1);
  giveBack(large);
  giveBack(NO_BLOCK);
  t.not(takeBlock(MIB + 1), large);
  t.not(takeBlock(1), NO_BLOCK);
});

function takeMany(): Block[] {
  return Array.from({ length: 64 }, () => takeBlock(256 * KIB));
}

void test('no more than some MiB are kept that nobody has', async (t) => {
  const given = new Set(takeMany());
  for (const block of given) giveBack(block);
  const kept = takeMany().filter((block) => given.has(block));
  t.ok(kept.length > 0 && kept.length <= 16, `${kept.length} of 256 KiB each`);
});
