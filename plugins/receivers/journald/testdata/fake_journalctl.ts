/** Programs that take journalctl's place in tests: each run does what the test says. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface FakeRun {
  /** Written at once, as latin1 text. */
  readonly out?: string;
  readonly err?: string;
  /** How often `out` and `err` are written. Default 1. */
  readonly times?: number;
  /** What comes then: an exit code, a signal that ends it, or nothing more. Default: nothing more. */
  readonly end?: number | NodeJS.Signals;
}

export interface FakeJournalctl {
  /** Of the program. */
  readonly path: string;
  /** The arguments of each run that was begun. */
  readonly runs: () => string[][];
  /** Ends the run that was begun last. */
  readonly kill: () => void;
  /** How often the last run has written `out` by now. */
  readonly written: () => number;
}

/** Runs are numbered by lines in a file of arguments. */
const SCRIPT = `
const fs = require('node:fs');
const { runs } = JSON.parse(fs.readFileSync(__filename + '.plan', 'utf8'));
const log = __filename + '.log';
const number = fs.existsSync(log) ? fs.readFileSync(log, 'utf8').split('\\n').length - 1 : 0;
fs.writeFileSync(__filename + '.pid', String(process.pid));
fs.appendFileSync(log, JSON.stringify(process.argv.slice(2)) + '\\n');
const { out = '', err = '', times = 1, end } = runs[Math.min(number, runs.length - 1)];
const bytes = Buffer.from(out, 'latin1');
for (let written = 0; written < times; written++) {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(1, bytes, at);
  for (let at = 0; at < err.length; ) at += fs.writeSync(2, err.slice(at));
  fs.writeFileSync(__filename + '.written', String(written + 1));
}
if (typeof end === 'number') process.exit(end);
if (typeof end === 'string') process.kill(process.pid, end);
setInterval(() => {}, 1e6);
`;

/** Makes a program in `directory`; runs beyond those given do what the last one does. */
export function fakeJournalctl(directory: string, runs: readonly FakeRun[]): FakeJournalctl {
  const path = join(directory, 'journalctl');
  writeFileSync(path, `#!${process.execPath}\n${SCRIPT}`, { mode: 0o755 });
  writeFileSync(`${path}.plan`, JSON.stringify({ runs }));
  return {
    path,
    runs: () =>
      readIfThere(`${path}.log`)
        .split('\n')
        .filter((line) => line !== '')
        .map((line): string[] => JSON.parse(line)),
    kill: () => void process.kill(Number(readIfThere(`${path}.pid`)), 'SIGKILL'),
    written: () => Number(readIfThere(`${path}.written`)),
  };
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

export const SEQNUM_ID = 'a1'.repeat(16);
const BOOT_ID = 'b2'.repeat(16);

/** The cursor of entry `seqnum`. */
export function cursorText(seqnum: number, seqnumId = SEQNUM_ID): string {
  return `s=${seqnumId};i=${seqnum.toString(16)};b=${BOOT_ID};m=${seqnum.toString(16)};t=${(1e15 + seqnum).toString(16)};x=1`;
}

/** Entries with these numbers as journalctl exports them, their message the number. */
export function exported(...seqnums: readonly number[]): string {
  return seqnums
    .map((seqnum) => `__CURSOR=${cursorText(seqnum)}\n__REALTIME_TIMESTAMP=${1e15 + seqnum}\nMESSAGE=${seqnum}\n\n`)
    .join('');
}
