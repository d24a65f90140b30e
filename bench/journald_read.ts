/**
 * Reads a stored journal to batches, beside what `journalctl` takes to print it, in turns: entries of 20 fields, in files that systemd
 * wrote, from the page cache.
 * `node bench/journald_read.ts [--entries 500000] [--runs 5] [--layout compact|regular] [--fields default|all]`
 *
 * Ours is the receiver itself, in a process that does nothing else, which settles each batch at once; the first of its runs compiles
 * the code and is not counted. journalctl prints to /dev/null.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CountingContext } from './lib/counting_context.ts';
import { writeJournal } from './lib/journal_workload.ts';
import { median } from './lib/process.ts';
import definition from '../plugins/receivers/journald/index.ts';

export interface ReadOptions {
  /** Default 500,000. */
  readonly entries?: number;
  /** Default true. */
  readonly isCompact?: boolean;
  /** Default: those that are shipped by default. */
  readonly fields?: 'default' | 'all';
}

export interface Reading {
  readonly entriesPerSecond: number;
  readonly cpuSecondsPerMillion: number;
}

export interface ReadResult {
  readonly sluice: Reading & { readonly residentMiB: number };
  readonly exporting: Reading;
  readonly json: Reading;
}

/** So often for one run of journalctl, which takes many times as long. */
const RUNS_OF_OURS = 3;

/** Runs of all three in turn, on one journal. */
export async function runJournaldRead(runs: number, options: ReadOptions = {}): Promise<ReadResult[]> {
  const { entries = 500_000, isCompact = true, fields = 'default' } = options;
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    await writeJournal(directory, entries, { isCompact });
    const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
    console.error(`a journal of ${Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1e6)} MB in ${sizes.length} files`);
    return Array.from({ length: runs }, () => ({
      sluice: readHere(directory, entries, fields),
      exporting: journalctl(directory, entries, 'export'),
      json: journalctl(directory, entries, 'json'),
    }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** In a process of its own. */
function readHere(directory: string, entries: number, fields: string): ReadResult['sluice'] {
  const args = [import.meta.filename, '--measure', directory, '--entries', String(entries), '--fields', fields];
  const printed: unknown = JSON.parse(
    execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  if (!isReading(printed)) throw new Error('the process that measures has printed something else');
  return printed;
}

function isReading(value: unknown): value is ReadResult['sluice'] {
  return typeof value === 'object' && value !== null && 'entriesPerSecond' in value && 'residentMiB' in value;
}

function journalctl(directory: string, entries: number, output: 'export' | 'json'): Reading {
  // The shell tells what its child has used, which Node does not.
  const script = `TIMEFORMAT='%R %U %S'; time journalctl --quiet --all --directory "$1" --output ${output} > /dev/null`;
  const printed = execFileSync('bash', ['-c', `{ ${script}; } 2>&1`, 'bash', directory], { encoding: 'utf8' });
  const [wall = NaN, user = NaN, system = NaN] = printed.trim().split(' ').map(Number);
  return { entriesPerSecond: entries / wall, cpuSecondsPerMillion: ((user + system) / entries) * 1e6 };
}

/** The process that measures. */
async function measure(directory: string, entries: number, fields: string): Promise<void> {
  await readOnce(directory, entries, fields);
  const runs: Reading[] = [];
  for (let run = 0; run < RUNS_OF_OURS; run++) runs.push(await readOnce(directory, entries, fields));
  console.log(
    JSON.stringify({
      entriesPerSecond: median(runs.map((run) => run.entriesPerSecond)),
      cpuSecondsPerMillion: median(runs.map((run) => run.cpuSecondsPerMillion)),
      residentMiB: process.memoryUsage.rss() / 2 ** 20,
    }),
  );
}

async function readOnce(directory: string, entries: number, fields: string): Promise<Reading> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const options = { directory, start_at: 'beginning', ...(fields === 'all' ? { fields: 'all' } : {}) };
  const context = new CountingContext(entries, stateDirectory);
  const receiver = definition.create(definition.options.parse(options), context);
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  await receiver.start();
  await context.reached;
  const { user, system } = process.cpuUsage(startCpu);
  const seconds = (performance.now() - startMs) / 1000;
  await receiver.stop();
  await receiver.close?.();
  rmSync(stateDirectory, { recursive: true });
  return { entriesPerSecond: entries / seconds, cpuSecondsPerMillion: (user + system) / entries };
}

function say({ entriesPerSecond, cpuSecondsPerMillion }: Reading): string {
  return `${Math.round(entriesPerSecond)} entries/s with ${cpuSecondsPerMillion.toFixed(2)} CPU s a million`;
}

/** How many times as fast, and in how many times less of a processor. */
function beside(ours: Reading, theirs: Reading): string {
  const rate = ours.entriesPerSecond / theirs.entriesPerSecond;
  return `${rate.toFixed(1)}x, CPU ${(theirs.cpuSecondsPerMillion / ours.cpuSecondsPerMillion).toFixed(1)}x`;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      entries: { type: 'string', default: '500000' },
      runs: { type: 'string', default: '5' },
      layout: { type: 'string', default: 'compact' },
      fields: { type: 'string', default: 'default' },
      measure: { type: 'string' },
    },
  });
  const [entries, fields] = [Number(values.entries), values.fields === 'all' ? 'all' : 'default'] as const;
  if (values.measure !== undefined) await measure(values.measure, entries, fields);
  else {
    console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; ${values.layout}, ${fields} fields`);
    const results = await runJournaldRead(Number(values.runs), { entries, fields, isCompact: values.layout !== 'regular' });
    for (const { sluice, exporting, json } of results) {
      console.log(
        `${say(sluice)}, ${Math.round(sluice.residentMiB)} MiB;`,
        `-o export ${say(exporting)} (${beside(sluice, exporting)});`,
        `-o json ${say(json)} (${beside(sluice, json)})`,
      );
    }
  }
}
