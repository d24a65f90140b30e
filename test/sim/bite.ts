/**
 *     node test/sim/bite.ts [seeds]
 *
 * Shows that the simulation bites: breaks one rule at a time in a scratch copy of what is committed, and prints the first seeds that catch
 * it. Exits with 0 only if every broken rule was caught, and none was where nothing is broken.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Break {
  readonly rule: string;
  readonly file: string;
  /** Text that the file has once, and what takes its place. */
  readonly from: string;
  readonly to: string;
}

const BREAKS: readonly Break[] = [
  {
    rule: 'ack: the source is told as soon as the spool has a batch in memory',
    file: 'src/spool/spool.ts',
    from: `    this.#spiller.poke();\n    for (const cursor of this.cursors) cursor.wake();`,
    to: `    lane.tail.last?.acknowledge({ kind: 'delivered' });\n    this.#spiller.poke();\n    for (const cursor of this.cursors) cursor.wake();`,
  },
  {
    rule: 'ack: the source is told when the disk has a batch, though not synced',
    file: 'src/spool/lane.ts',
    from: `    await log.sync();\n`,
    to: ``,
  },
  {
    rule: 'ack: a receiver acks before its store has the records',
    file: 'plugins/receivers/cfjs1/frames_mode.ts',
    from: `    for (const batch of parsed.batches) context.emit(batch);`,
    to: `    passage.settle(DELIVERED);\n    for (const batch of parsed.batches) context.emit(batch);`,
  },
  {
    rule: 'cursor: the place that is saved is ahead of what is settled',
    file: 'src/spool/spool_disk.ts',
    from: `places[index]?.settled ?? 0`,
    to: `places[index] === undefined ? 0 : nextPosition`,
  },
  {
    rule: 'cursor: it moves over a batch whose write has failed',
    file: 'src/kit/cursor_loop.ts',
    from: `      if (!this.#abandoned) await this.#retryLater(describeError(error));\n      return;`,
    to: `      refusals = [];`,
  },
  {
    rule: 'window: what was sent and not acked is not sent the other way',
    file: 'plugins/exporters/logx/stream.ts',
    from: `    cursor.rewind();\n`,
    to: ``,
  },
];

/** Seeds that are told of each. */
const SHOWN = 5;

const seeds = Number(process.argv[2] ?? 300);
const copy = join(mkdtempSync(join(tmpdir(), 'sluice-bite-')), 'copy');
git('worktree', 'add', '--detach', '--quiet', copy, 'HEAD');
try {
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'));
  const unbroken = failingSeeds();
  const outcomes = BREAKS.map((broken) => ({ rule: broken.rule, caught: withBroken(broken, failingSeeds) }));
  tell('nothing is broken', unbroken);
  for (const { rule, caught } of outcomes) tell(rule, caught);
  process.exitCode = unbroken.length === 0 && outcomes.every(({ caught }) => caught.length > 0) ? 0 : 1;
} finally {
  git('worktree', 'remove', '--force', copy);
  rmSync(join(copy, '..'), { recursive: true, force: true });
}

function withBroken<T>({ file, from, to }: Break, run: () => T): T {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times what is to be broken: ${from}`);
  writeFileSync(path, parts.join(to));
  try {
    return run();
  } finally {
    writeFileSync(path, text);
  }
}

function failingSeeds(): number[] {
  const { stdout } = spawnSync(process.execPath, ['test/sim/main.ts', '--seeds', String(seeds)], { cwd: copy, encoding: 'utf8' });
  return [...stdout.matchAll(/^seed (\d+),/gm)].map(([, seed]) => Number(seed)).sort((a, b) => a - b);
}

function tell(what: string, caught: readonly number[]): void {
  const rest = caught.length > SHOWN ? ', …' : '';
  console.log(`${what}\n    ${caught.length} of ${seeds} seeds: ${caught.slice(0, SHOWN).join(', ')}${rest}`);
}

function git(...args: string[]): void {
  execFileSync('git', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
