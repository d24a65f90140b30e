/**
 * Metrics of the process under the names that Prometheus client libraries agree on. prom-client's own set is not used: it samples
 * the event loop a hundred times a second and runs code after each garbage collection, which an idle agent would be seen for;
 * everything here is read when it is scraped.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { MetricsRegistry, Sample } from './metrics.ts';

export function addProcessMetrics(metrics: MetricsRegistry, version: string): void {
  const startSeconds = Math.round(performance.timeOrigin) / 1000;
  const one = (type: 'counter' | 'gauge', name: string, help: string, read: () => number | undefined): void =>
    metrics.collected({ type, name, help, read: () => sampleOf(read()) });

  metrics.collected({
    type: 'gauge',
    name: 'sluice_build_info',
    help: 'Always 1; version of the agent and of the Node.js that it runs on.',
    labelNames: ['version', 'node'],
    read: () => [{ labels: { version, node: process.versions.node }, value: 1 }],
  });
  one('gauge', 'process_start_time_seconds', 'When the process started, Unix time.', () => startSeconds);
  one('counter', 'process_cpu_seconds_total', 'User and system CPU time of the process.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  one('gauge', 'process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss());
  one('gauge', 'process_open_fds', 'Open file descriptors.', countOpenFiles);
  one('gauge', 'process_max_fds', 'Most file descriptors that may be open.', readMaxOpenFiles);
  one('gauge', 'nodejs_heap_size_used_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed);
  one('gauge', 'nodejs_external_memory_bytes', 'Memory outside the heap held by JavaScript objects, buffers included.', () => {
    return process.memoryUsage().external;
  });
  one('counter', 'nodejs_eventloop_active_seconds_total', 'Time the event loop spent running code, not waiting.', () => {
    return performance.eventLoopUtilization().active / 1000;
  });
}

/** No sample at all where the system does not tell. */
function sampleOf(value: number | undefined): Sample[] {
  return value === undefined ? [] : [{ value }];
}

function countOpenFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length - 1; // without the descriptor that reads the directory
  } catch {
    return undefined;
  }
}

function readMaxOpenFiles(): number | undefined {
  try {
    return parseMaxOpenFiles(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return undefined;
  }
}

/** The soft limit from the text of `/proc/self/limits` (proc_pid_limits(5)); undefined where it is missing or unlimited. */
export function parseMaxOpenFiles(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
