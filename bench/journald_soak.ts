/**
 * An agent beside a real journald that rotates each second and is vacuumed: whether memory, descriptors, watches or its use of the processor grow
 * with time. Takes root. `node bench/journald_soak.ts [MINUTES] [ENTRIES_PER_SECOND]`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceLoad } from '../plugins/receivers/journald/testdata/service_load.ts';
import { withJournald } from './journald_live.ts';
import { Bench } from './lib/sluice.ts';

const ROTATE_EVERY_MS = 1000;
const VACUUM_EVERY = 5;
const FILES = 8;
const TELL_EVERY = 15;

const [minutes = '5', entriesPerSecond = '2000'] = process.argv.slice(2);

await withJournald(async (journald) => {
  const { directory } = journald;
  const bench = await Bench.start({ mode: 'acked', receivers: () => ({ journald: { directory, start_at: 'beginning' } }) });
  const load = new ServiceLoad(journald, Number(entriesPerSecond));
  try {
    let before = { cpuSeconds: 0, ms: performance.now() };
    for (let rotations = 1; rotations * ROTATE_EVERY_MS <= Number(minutes) * 60_000; rotations++) {
      await sleep(ROTATE_EVERY_MS);
      journald.rotate();
      if (rotations % VACUUM_EVERY === 0) journald.vacuum(FILES);
      if (rotations % TELL_EVERY !== 0) continue;
      const { cpuSeconds, residentMiB } = bench.usage();
      const { descriptors, watches } = bench.handles();
      const now = { cpuSeconds, ms: performance.now() };
      const share = ((now.cpuSeconds - before.cpuSeconds) * 1e5) / (now.ms - before.ms);
      before = now;
      console.log(
        `${rotations} rotations, ${bench.got} of ${load.report.taken} entries: ${Math.round(residentMiB)} MiB, ${descriptors} descriptors,`,
        `${watches} watches, ${share.toFixed(1)} % of a core`,
      );
    }
  } finally {
    await load.stop();
    load.close();
    await bench.stop();
  }
});
