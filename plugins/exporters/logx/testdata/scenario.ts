/** What the tests of whole exporters have in common. */
import { type Test, test } from 'tap';
import { LogxBench, type LogxBenchOptions } from './logx_bench.ts';

/** With default options, the time from an endpoint's death to the first record at the other one. */
export const NOTICE_MS = 4000;

/** A test of a bench that is started before it and, at its end, must stop in good order. */
export function scenario(name: string, options: LogxBenchOptions, run: (t: Test, bench: LogxBench) => Promise<void>): void {
  void test(name, async (t) => {
    const bench = new LogxBench(options);
    await bench.exporter.start();
    await bench.run(0);
    await run(t, bench);
    await bench.stop();
    t.same(bench.violations, [], 'no breach of the contract of cursors');
    t.equal(bench.clock.pendingTimers, 0, 'no timer is left');
    for (const [name, { open }] of bench.receivers) t.equal(open.length, 0, `no connection to ${name} is left`);
  });
}

/** Pushes a record every 100 ms while time passes. */
export async function flow(bench: LogxBench, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    bench.push();
    await bench.run(100);
  }
}

/** Whether everything that was pushed is stored for a destination, wherever it lies. */
export function isComplete(bench: LogxBench, destination: string): boolean {
  const stored = new Set(bench.storedFor(destination));
  return bench.pushed.every((message) => stored.has(message));
}
