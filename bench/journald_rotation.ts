/**
 * What sets other readers of journals back: a storm of rotations, a directory of many archived files, and a selection that hardly any entry
 * fits. The first takes root. `node bench/journald_rotation.ts [storm] [archive] [rare]`
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JournalWriter } from '../plugins/receivers/journald/testdata/journal_writer.ts';
import { ServiceLoad } from '../plugins/receivers/journald/testdata/service_load.ts';
import { withJournald } from './journald_live.ts';
import { RARE, writeJournal } from './lib/journal_workload.ts';
import { waitUntil } from './lib/process.ts';
import { Bench } from './lib/sluice.ts';

const ROTATIONS = 200;
const ROTATE_EVERY_MS = 100;
const STORM_ENTRIES_PER_SECOND = 500;

const FILES = 500;
const ENTRIES_A_FILE = 100;
const IDLE_MS = 10_000;

const SELECTED_OF = 500_000;

/** Shares of a core: while it rotates ten times a second, and with the same entries while it does not. */
export async function runRotationStorm(): Promise<{ readonly stormCores: number; readonly calmCores: number }> {
  return withJournald(async (journald) => {
    const { directory } = journald;
    const bench = await Bench.start({ mode: 'acked', receivers: () => ({ journald: { directory, start_at: 'beginning' } }) });
    const load = new ServiceLoad(journald, STORM_ENTRIES_PER_SECOND);
    const coresOf = async (turn: () => void): Promise<number> => {
      const [before, startMs] = [bench.usage().cpuSeconds, performance.now()];
      for (let count = 0; count < ROTATIONS; count++) {
        turn();
        await sleep(ROTATE_EVERY_MS);
      }
      return ((bench.usage().cpuSeconds - before) * 1000) / (performance.now() - startMs);
    };
    try {
      await waitUntil(() => bench.got > STORM_ENTRIES_PER_SECOND * 3, 'the agent to be at it');
      const calmCores = await coresOf(() => {});
      const stormCores = await coresOf(() => journald.rotate());
      await load.stop();
      await journald.sync();
      const { taken } = load.report;
      await waitUntil(() => bench.got >= taken, `all ${taken} entries`);
      return { stormCores, calmCores };
    } finally {
      load.close();
      await bench.stop();
    }
  });
}

export interface ArchiveResult {
  /** Until all is delivered that is in the files. */
  readonly seconds: number;
  readonly peakMiB: number;
  /** Afterwards, when nothing is written any more. */
  readonly idleCores: number;
  readonly descriptors: number;
}

/** A directory of 500 archived files. */
export async function runArchive(): Promise<ArchiveResult> {
  const root = mkdtempSync(join(tmpdir(), 'sluice-journal-'));
  try {
    const directory = join(root, 'journal');
    mkdirSync(directory);
    for (let file = 0; file < FILES; file++) {
      const firstSeqnum = 1 + file * ENTRIES_A_FILE;
      const writer = new JournalWriter({ firstSeqnum, firstRealtime: 1_700_000_000_000_000 + firstSeqnum * 1_000_000 });
      for (let entry = 0; entry < ENTRIES_A_FILE; entry++) writer.append(`entry ${firstSeqnum + entry}`);
      if (file < FILES - 1) writer.state = 'archived';
      writer.save(join(directory, `system-${String(file).padStart(4, '0')}.journal`));
    }
    const startMs = performance.now();
    const bench = await Bench.start({ mode: 'acked', receivers: () => ({ journald: { directory, start_at: 'beginning' } }) });
    try {
      await waitUntil(() => bench.got >= FILES * ENTRIES_A_FILE, 'all entries');
      const seconds = (performance.now() - startMs) / 1000;
      await sleep(2000);
      const [before, idleMs] = [bench.usage().cpuSeconds, performance.now()];
      await sleep(IDLE_MS);
      const { cpuSeconds, peakMiB } = bench.usage();
      const idleCores = ((cpuSeconds - before) * 1000) / (performance.now() - idleMs);
      return { seconds, peakMiB, idleCores, descriptors: bench.handles().descriptors };
    } finally {
      await bench.stop();
    }
  } finally {
    rmSync(root, { recursive: true });
  }
}

export interface RareResult {
  readonly records: number;
  readonly seconds: number;
  readonly peakMiB: number;
  /** CPU seconds of an agent that is started again behind all that, until it is at rest. */
  readonly againCpuSeconds: number;
  /** CPU seconds of one that is started on an empty directory. */
  readonly startCpuSeconds: number;
}

/** A selection that one of 10,000 entries fits, over 500,000; and a restart, which must not read them all again. */
export async function runRare(): Promise<RareResult> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-journal-'));
  const empty = mkdtempSync(join(tmpdir(), 'sluice-journal-'));
  try {
    await writeJournal(directory, SELECTED_OF);
    const include = { identifiers: ['rare'] };
    const receivers = () => ({ journald: { directory, start_at: 'beginning', include } });
    const bench = await Bench.start({ mode: 'acked', receivers });
    try {
      const startMs = performance.now();
      const records = SELECTED_OF / RARE;
      await waitUntil(() => bench.got >= records, 'the records');
      const seconds = (performance.now() - startMs) / 1000;
      await sleep(3000);
      const { peakMiB } = bench.usage();
      await bench.restart();
      await sleep(5000);
      const againCpuSeconds = bench.usage().cpuSeconds;
      if (bench.got !== records) throw new Error(`${bench.got} records instead of ${records}`);
      return { records, seconds, peakMiB, againCpuSeconds, startCpuSeconds: await startCpuSeconds(empty) };
    } finally {
      await bench.stop();
    }
  } finally {
    for (const path of [directory, empty]) rmSync(path, { recursive: true });
  }
}

async function startCpuSeconds(directory: string): Promise<number> {
  const bench = await Bench.start({ mode: 'acked', receivers: () => ({ journald: { directory, start_at: 'beginning' } }) });
  try {
    await sleep(5000);
    return bench.usage().cpuSeconds;
  } finally {
    await bench.stop();
  }
}

function percent(cores: number): string {
  return `${(cores * 100).toFixed(1)} % of a core`;
}

if (import.meta.main) {
  const chosen = process.argv.slice(2);
  const isChosen = (name: string): boolean => chosen.length === 0 || chosen.includes(name);
  if (isChosen('storm')) {
    const { stormCores, calmCores } = await runRotationStorm();
    console.log(
      `${ROTATIONS} rotations in ${(ROTATIONS * ROTATE_EVERY_MS) / 1000} s: ${percent(stormCores)}; without: ${percent(calmCores)}`,
    );
  }
  if (isChosen('archive')) {
    const { seconds, peakMiB, idleCores, descriptors } = await runArchive();
    console.log(
      `${FILES} archived files: all is delivered after ${seconds.toFixed(1)} s, ${Math.round(peakMiB)} MiB at most;`,
      `then ${percent(idleCores)}, ${descriptors} descriptors`,
    );
  }
  if (isChosen('rare')) {
    const { records, seconds, peakMiB, againCpuSeconds, startCpuSeconds } = await runRare();
    console.log(
      `${records} of ${SELECTED_OF} entries selected: delivered after ${seconds.toFixed(1)} s, ${Math.round(peakMiB)} MiB at most;`,
      `started again ${againCpuSeconds.toFixed(2)} CPU s in 5 s, on an empty directory ${startCpuSeconds.toFixed(2)}`,
    );
  }
}
