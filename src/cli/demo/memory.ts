/** What the demo remembers from one time to the next: what it wrote, so that it sees what was changed, and what it started. */
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const schema = z.object({
  /** SHA-256 of each configuration as the demo wrote it, by the name of its process. */
  written: z.record(z.string(), z.string()),
  /** The ports in those configurations. */
  ports: z
    .object({
      listen: z.object({ 'log-a': z.number(), 'log-b': z.number() }),
      telemetry: z.object({ sluice: z.number(), 'log-a': z.number(), 'log-b': z.number() }),
    })
    .optional(),
  /** Ids of the processes that were started and not seen to end. */
  pids: z.array(z.int().min(2)),
});

export type Memory = z.output<typeof schema>;

/** What was remembered; nothing where there is no such file, or one that is not ours. */
export function readMemory(file: string): Memory {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return { written: {}, ports: undefined, pids: [] };
  }
}

export function writeMemory(file: string, memory: Memory): void {
  writeFileSync(file, `${JSON.stringify(memory)}\n`);
}
