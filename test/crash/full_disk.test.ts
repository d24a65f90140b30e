/** A disk that fills up while both receivers are away: on_full applies and is counted, the agent goes on, and takes the disk again. */
import { join } from 'node:path';
import { type Test, t as root, test } from 'tap';
import { startReceiver } from '../helpers/agents.ts';
import { ledgerOf, watchUntil } from '../helpers/ledgers.ts';
import { LineWriter } from '../helpers/line_writer.ts';
import { SmallDisk, whyNoSmallDisk } from '../helpers/small_disk.ts';
import { temporaryDirectory } from '../helpers/temporary_directory.ts';
import { NAMES, startSite, stopSite, storedAt } from './site.ts';

const MEBIBYTE = 1024 * 1024;
const DISK_BYTES = 64 * MEBIBYTE;
/** What others leave of it at first. */
const FREE_BYTES = 8 * MEBIBYTE;
const LINES_PER_SECOND = 20_000;
const DEADLINE_MS = 60_000;

/** Longer than a busy machine needs. */
root.setTimeout(300_000);

async function fillUp(t: Test, onFull: 'drop_oldest' | 'drop_newest'): Promise<void> {
  const disk = new SmallDisk(t, join(temporaryDirectory(t), 'spool'), DISK_BYTES);
  disk.fillBut(FREE_BYTES);
  const site = await startSite(t, {
    pipe: { on_full: onFull },
    // The spool may take more than there is.
    spool: { memory: { max_bytes: '16MiB' }, disk: { directory: join(disk.directory, 'logs'), max_bytes: '128MiB' } },
  });
  const { receivers } = site;
  const watch = (what: string, condition: () => boolean | Promise<boolean>) =>
    watchUntil([site.agent], what, condition, { deadlineMs: DEADLINE_MS });
  const dropped = async () => (await ledgerOf(site.agent)).droppedFor('spool_full');

  await Promise.all(NAMES.map((name) => receivers[name].process.end('SIGKILL')));
  const writer = new LineWriter(t, site.path, { linesPerSecond: LINES_PER_SECOND });
  await watch('records to be given up', async () => (await dropped()) > LINES_PER_SECOND);
  t.ok(disk.freeBytes < FREE_BYTES / 2, 'the disk is full');

  disk.makeRoom();
  await watch('the disk to be taken again', () => disk.usedBytes > 3 * FREE_BYTES);
  const [givenUp, writtenThen] = [await dropped(), writer.written];
  await watch('more records', () => writer.written > writtenThen + LINES_PER_SECOND);
  t.equal(await dropped(), givenUp, 'nothing is given up while there is room');

  for (const name of NAMES) receivers[name] = await startReceiver(t, receivers[name]);
  await writer.stop();
  const { written } = writer;
  await watch('everything to be delivered', async () => (await ledgerOf(site.agent)).held === 0);
  await watch('the disk to be free again', () => disk.usedBytes < FREE_BYTES / 2);
  const ledger = await ledgerOf(site.agent);
  t.equal(ledger.accepted, written);
  t.equal(ledger.delivered + ledger.dropped, written, 'each was delivered, or counted as given up');
  await stopSite(t, site);

  for (const [destination, stored] of Object.entries(storedAt(t, site))) {
    const gaps = stored.missing(written);
    t.equal(sumOf(gaps), ledger.dropped, `${destination} lacks as many as were counted`);
    t.equal(stored.ids.size + ledger.dropped, written, 'and has none that was not written');
    const places = gaps.slice(0, 5).map(({ first, count }) => `${count} from ${first} on`);
    t.comment(`${onFull}, ${destination}: ${written} written, ${ledger.dropped} given up: ${places.join(', ')}`);
    if (onFull === 'drop_oldest') t.equal(gaps[0]?.first, 0, 'the oldest');
    else t.ok((gaps[0]?.first ?? 0) > 0, 'not the oldest');
  }
}

function sumOf(gaps: readonly { readonly count: number }[]): number {
  return gaps.reduce((sum, { count }) => sum + count, 0);
}

const skip = whyNoSmallDisk() ?? false;

void test('a disk that fills costs the oldest records with drop_oldest, and is used again when there is room', { skip }, (t) =>
  fillUp(t, 'drop_oldest'),
);

void test('a disk that fills costs the newest records with drop_newest, and is used again when there is room', { skip }, (t) =>
  fillUp(t, 'drop_newest'),
);
