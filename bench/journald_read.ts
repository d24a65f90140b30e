/**
 * Reads a stored journal to batches: 500,000 entries of 20 fields, in files that systemd wrote, from the page cache.
 * `node bench/journald_read.ts [compact|regular] [default|all] [ENTRIES]`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { JournalDirectories } from '../plugins/receivers/journald/journal/directories.ts';
import { Journal } from '../plugins/receivers/journald/journal/journal.ts';
import { Positions } from '../plugins/receivers/journald/position/positions.ts';
import { BatchReader } from '../plugins/receivers/journald/records/batch_reader.ts';
import { DEFAULT_FIELDS, DEFAULT_SERVICE_FIELDS } from '../plugins/receivers/journald/records/field_names.ts';
import { FieldTable, type Selection } from '../plugins/receivers/journald/records/fields.ts';
import { EntrySelection } from '../plugins/receivers/journald/select/selection.ts';
import { Ack, DELIVERED } from '../src/core/ack.ts';
import { writeJournal } from './lib/journal_workload.ts';
import { median } from './lib/process.ts';

const RUNS = 5;

interface Run {
  readonly entries: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Reads everything in `directory` once, as the receiver does, and settles each batch at once. */
function read(directory: string, fields: Selection): Run {
  const startedAt = performance.now();
  const startCpu = process.cpuUsage();
  const journal = new Journal(new JournalDirectories([directory]), new Positions(0), damaged);
  const options = { receiver: 'journald', format: 'journal', maxValueBytes: 256 * 1024, parseJson: false };
  const selection = new EntrySelection(undefined, undefined);
  const table = new FieldTable({ fields, service: DEFAULT_SERVICE_FIELDS, conditions: selection.fields });
  const callbacks = {
    onDamage: damaged,
    onCut: () => damaged('cut'),
    onLeftOut: () => damaged('left out'),
    onSuppressed: () => {},
    now: () => performance.now(),
  };
  const reader = new BatchReader(journal, { ...options, ...callbacks, table, selection });
  const progress = { ackFor: () => new Ack(), passed: () => {} };
  let count = 0;
  journal.refresh(true);
  for (let batch = reader.read(progress); batch !== undefined; batch = reader.read(progress)) {
    if (batch === 'passed') continue;
    count += batch.count;
    batch.settle(DELIVERED);
  }
  journal.close();
  const { user, system } = process.cpuUsage(startCpu);
  return { entries: count, seconds: (performance.now() - startedAt) / 1000, cpuSeconds: (user + system) / 1e6 };
}

function damaged(reason: string): never {
  throw new Error(`the journal is damaged: ${reason}`);
}

/** Measures in a process that has done nothing else: one run to warm up, then the median of the others. */
function measure(directory: string, fields: Selection): void {
  read(directory, fields);
  const runs = Array.from({ length: RUNS }, () => read(directory, fields));
  const entries = median(runs.map((run) => run.entries));
  console.log(`  ${entries} entries, median of ${RUNS} runs`);
  console.log(`  ${Math.round(entries / median(runs.map(({ seconds }) => seconds)))} entries/s`);
  console.log(`  ${(median(runs.map(({ cpuSeconds }) => cpuSeconds)) / (entries / 1e6)).toFixed(2)} CPU s per million entries`);
  console.log(`  ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB resident`);
}

const [mode = 'compact', selection = 'default', entries = '500000'] = process.argv.slice(2);
const fields = selection === 'all' ? 'all' : DEFAULT_FIELDS;
if (mode === 'measure') measure(entries, fields);
else {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    await writeJournal(directory, Number(entries), mode === 'compact');
    const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
    const megabytes = Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1e6);
    console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}`);
    console.log(`${mode} journal of ${megabytes} MB in ${sizes.length} files, ${selection} fields`);
    execFileSync(process.execPath, [import.meta.filename, 'measure', selection, directory], { stdio: 'inherit' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
