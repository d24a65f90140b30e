/** Ends what a demo that was killed has left running: it would hold the ports, the socket and the topics. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_INTERVAL_MS = 50;

/**
 * Ends those of the given processes that still run a configuration in `directory`, and resolves to how many there were. A process
 * that has got the id of one since is told by its command line and left alone.
 */
export async function endLeftovers(pids: readonly number[], directory: string, timeoutMs: number): Promise<number> {
  const left = pids.filter((pid) => isOurs(pid, directory));
  for (const pid of left) {
    signal(pid, 'SIGTERM');
    signal(pid, 'SIGCONT');
  }
  const endMs = performance.now() + timeoutMs;
  while (left.some((pid) => isOurs(pid, directory))) {
    if (performance.now() > endMs) for (const pid of left.filter((pid) => isOurs(pid, directory))) signal(pid, 'SIGKILL');
    await delay(POLL_INTERVAL_MS);
  }
  return left.length;
}

function isOurs(pid: number, directory: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes('run') && words.some((word) => word.startsWith(`${directory}/`));
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
