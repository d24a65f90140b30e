/** Where the process begins. Nothing else ends it, and nothing else listens to its signals. */
import { constants } from 'node:os';
import { loadRegistry, type Registry } from '../config/registry.ts';
import { COMMANDS } from './commands.ts';
import { runCli } from './program.ts';

let registry: Promise<Registry> | undefined;
let stop: AbortController | undefined;

// Whoever reads our output may have had enough of it, as `head` has; that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCli(
  process.argv.slice(2),
  {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    registry: () => (registry ??= loadRegistry()),
    stopSignal: () => (stop ??= listenForStop()).signal,
  },
  COMMANDS,
);

function listenForStop(): AbortController {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(128 + constants.signals[signal]);
      controller.abort(signal);
    });
  }
  return controller;
}
