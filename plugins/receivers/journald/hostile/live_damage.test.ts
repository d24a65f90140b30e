/** A file that is damaged while it is followed: what is intact is read, and what comes in the next file too. */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { createSample, intactEntries } from './testdata/corpus.ts';
import { Follower } from './testdata/follower.ts';
import { damage, mutation } from './testdata/mutations.ts';

const SEED = 20_261_120;
const RUNS = 80;

/** What a next file has, behind whatever the one before it had. */
const NEXT = { firstSeqnum: 1000, firstRealtime: 1_800_000_000_000_000 };
const NEXT_BODIES = ['next 1', 'next 2', 'next 3'];

void test(
  'a file that is damaged while it is followed does not keep the next one from being read',
  { timeout: 120_000 },
  async (t) => {
    const root = temporaryDirectory(t);
    const sample = createSample(true, 'online');
    const first = createSample(true, 'online', 30);
    // As the file was when its first entries were read: of the same identity, and a prefix of what it has become.
    const property = fc.property(
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('~', 'archived'),
      (changes, end) => {
        const directory = mkdtempSync(join(root, 'run-'));
        const path = join(directory, 'system.journal');
        writeFileSync(path, first.bytes);
        const follower = new Follower(directory);
        try {
          assert.deepEqual(sequencesOf(follower.look()), sequence(1, 30));
          const bytes = damage(sample, changes);
          writeFileSync(path, bytes);
          const read = follower.look();
          renameSync(path, join(directory, end === '~' ? 'system@0001.journal~' : 'system@0002.journal'));
          new JournalWriter({ ...NEXT, seqnumId: sample.writer.seqnumId }).append(...NEXT_BODIES).save(path);
          for (let look = 0; look < 3; look++) read.push(...follower.look());
          const bodies = read.map(({ body }) => body);
          for (const body of NEXT_BODIES) assert.equal(bodies.filter((one) => one === body).length, 1, `${body} once`);
          const sequences = new Set(sequencesOf(read));
          const intact = intactEntries(sample, bytes);
          // Of those that come now, the ones in front of any damage.
          for (let index = 30; intact[index] === index; index++) assert.ok(sequences.has(index + 1), `entry ${index + 1}`);
        } finally {
          follower.close();
          rmSync(directory, { recursive: true });
        }
      },
    );
    fc.assert(property, { seed: SEED, numRuns: RUNS });
    fc.assert(property, { numRuns: RUNS });
    t.pass(`${2 * RUNS} times`);
  },
);

function sequencesOf(records: readonly { readonly sequence: number }[]): number[] {
  return records.map(({ sequence }) => sequence);
}

function sequence(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
