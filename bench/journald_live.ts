/**
 * A real journald that is followed: what a steady rate of entries takes of a core, and how soon a single entry is at the receiver. Takes root.
 * `node bench/journald_live.ts [RUNS]`
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningJournald, startJournald } from '../plugins/receivers/journald/testdata/journald.ts';
import { NativeSocket } from '../plugins/receivers/journald/testdata/native_socket.ts';
import { ServiceLoad } from '../plugins/receivers/journald/testdata/service_load.ts';
import { SMALL_MEMORY, writeConfiguration } from './lib/configuration.ts';
import { Measured, waitUntil } from './lib/process.ts';
import { Bench, type Result } from './lib/sluice.ts';
import { seededRandom } from './lib/workload.ts';

const ENTRIES_PER_SECOND = 1000;
const SECONDS = 20;
const WARM_UP_SECONDS = 10;

const SINGLE_ENTRIES = 200;

/** Runs `use` beside a journald of its own. */
export async function withJournald<T>(use: (journald: RunningJournald) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'sluice-journald-'));
  const journald = await startJournald(root);
  try {
    return await use(journald);
  } finally {
    await journald.stop();
    rmSync(root, { recursive: true });
  }
}

/** 1,000 entries/s for 20 seconds, through the whole agent to a receiver that acks. */
export async function runJournaldFollowed(): Promise<Result> {
  return withJournald(async (journald) => {
    const { directory } = journald;
    const bench = await Bench.start({ mode: 'acked', receivers: () => ({ journald: { directory, start_at: 'beginning' } }) });
    await waitUntil(() => bench.got > 0, 'the entry that journald begins with');
    const load = new ServiceLoad(journald, ENTRIES_PER_SECOND);
    try {
      // As an agent that has run for a while, whose code is compiled.
      await waitUntil(() => bench.got > ENTRIES_PER_SECOND * WARM_UP_SECONDS, 'the agent to have run for a while');
      const entries = ENTRIES_PER_SECOND * SECONDS;
      return await bench.measure(
        entries,
        () => {},
        (got) => got >= entries,
      );
    } finally {
      await load.stop();
      load.close();
      await bench.stop();
    }
  });
}

export interface Latency {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

/** Entries one by one, 50 to 350 ms apart, from before they are sent to journald until they are read from the agent's connection. */
export async function runJournaldLatency(): Promise<Latency> {
  return withJournald(async ({ directory, sockets }) => {
    const arrivedMs = new Map<string, number>();
    const server = createServer((socket) => {
      createInterface({ input: socket }).on('line', (line) => {
        const [number] = /(?<="message":"single )\d+/.exec(line) ?? [];
        if (number !== undefined) arrivedMs.set(number, performance.now());
      });
      socket.on('error', () => socket.destroy());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const state = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    const receivers = { journald: { directory, start_at: 'beginning' } };
    const agent = Measured.sluice(
      writeConfiguration({ directory: state, receivers, ports: { sink: port }, acknowledged: false, spool: SMALL_MEMORY }),
    );
    const socket = new NativeSocket(sockets.native);
    try {
      const latencies: number[] = [];
      const random = seededRandom(1);
      for (let number = -10; number < SINGLE_ENTRIES; number++) {
        await sleep(50 + random() * 300);
        const sentMs = performance.now();
        socket.send([['MESSAGE', Buffer.from(`single ${number + 10}`)]]);
        await waitUntil(() => arrivedMs.has(String(number + 10)), 'an entry to arrive');
        // The first ones wait for the agent to start.
        if (number >= 0) latencies.push((arrivedMs.get(String(number + 10)) ?? NaN) - sentMs);
      }
      latencies.sort((a, b) => a - b);
      const at = (share: number): number => latencies[Math.floor(share * (SINGLE_ENTRIES - 1))] ?? NaN;
      return { medianMs: at(0.5), p99Ms: at(0.99), worstMs: at(1) };
    } finally {
      socket.close();
      await agent.stop();
      server.close();
      rmSync(state, { recursive: true });
    }
  });
}

if (import.meta.main) {
  for (let run = Number(process.argv[2] ?? 1); run > 0; run--) {
    const { cores, peakMiB } = await runJournaldFollowed();
    console.log(`${ENTRIES_PER_SECOND} entries/s: ${(cores * 100).toFixed(1)} % of a core, ${Math.round(peakMiB)} MiB`);
    const { medianMs, p99Ms, worstMs } = await runJournaldLatency();
    console.log(
      `an entry arrives after ${medianMs.toFixed(0)} ms (median), ${p99Ms.toFixed(0)} ms (p99), ${worstMs.toFixed(0)} ms at most`,
    );
  }
}
