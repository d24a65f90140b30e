/** Where the process begins. Nothing else ends it, and nothing else listens to its signals. */
import { constants } from 'node:os';
import { loadRegistry, type Registry } from '../config/registry.ts';
import type { ByteOutput } from '../kit/commands.ts';
import { COMMANDS } from './commands.ts';
import { loadPluginCommands } from './plugin_commands.ts';
import { runCli } from './program.ts';

/**
 * A Ctrl-C reaches a program under `npm start` twice within milliseconds: from the terminal, and passed on by npm. Signals this close
 * to the first one are the same wish.
 */
const SAME_WISH_MS = 500;

let registry: Promise<Registry> | undefined;

const stop = new AbortController();
const end = new AbortController();
const listenedTo = new Set<NodeJS.Signals>();
let stoppedAtMs = 0;

// Whoever reads our output may have had enough of it, as `head` has, or its terminal is gone; that is no error of ours. Any other
// failure is told to whoever wrote, and costs a command that was asked for output its success.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  const isGone = error.code === 'EPIPE' || error.code === 'EIO';
  if (isGone && !stop.signal.aborted) endNow(0);
  if (isGone || listenedTo.size > 0) return;
  process.stderr.write(`sluice: the output cannot be written: ${error.message}\n`);
  endNow(1);
});

process.exitCode = await runCli(
  process.argv.slice(2),
  {
    env: process.env,
    stdout: byteOutput(process.stdout),
    stderr: process.stderr,
    registry: () => (registry ??= loadRegistry()),
    stopSignal({ hangUp = false } = {}) {
      for (const signal of ['SIGTERM', 'SIGINT', ...(hangUp ? (['SIGHUP'] as const) : [])] as const) listenTo(signal);
      return stop.signal;
    },
    endSignal: () => end.signal,
  },
  { builtIn: COMMANDS, fromPlugins: loadPluginCommands },
);

/** Failures reach the listener above. */
function byteOutput(stream: NodeJS.WriteStream): ByteOutput {
  return {
    write: (text) => stream.write(text),
    send: (bytes) => new Promise((resolve) => stream.write(bytes, () => resolve())),
    isTTY: stream.isTTY,
    get columns() {
      return stream.columns;
    },
  };
}

function listenTo(signal: NodeJS.Signals): void {
  if (listenedTo.has(signal)) return;
  listenedTo.add(signal);
  process.on(signal, () => {
    if (!stop.signal.aborted) {
      stoppedAtMs = performance.now();
      stop.abort(signal);
    } else if (performance.now() - stoppedAtMs > SAME_WISH_MS) {
      endNow(128 + constants.signals[signal]);
    }
  });
}

function endNow(exitCode: number): never {
  end.abort();
  process.exit(exitCode);
}
