/** Writes the demo's configurations, and leaves those alone that somebody has changed. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type DemoPorts, demoConfigs } from './configs.ts';
import type { Memory } from './memory.ts';
import { type DemoPaths, type MemberName, MEMBERS } from './paths.ts';
import { freePorts } from './ports.ts';

export interface WrittenConfigs {
  readonly written: Readonly<Record<string, string>>;
  readonly ports: DemoPorts;
  /** The processes whose configuration was changed by somebody and is used as it is. */
  readonly changed: readonly MemberName[];
}

/** A changed file keeps all ports as they were, because it may name them. */
export async function writeConfigs(paths: DemoPaths, memory: Memory, hasJournal: boolean): Promise<WrittenConfigs> {
  const changed = MEMBERS.filter((member) => isChanged(paths.config(member), memory.written[member]));
  const ports = changed.length > 0 && memory.ports !== undefined ? memory.ports : await freePorts();
  const written = { ...memory.written };
  for (const [member, text] of demoConfigs(paths, ports, hasJournal)) {
    if (changed.includes(member)) continue;
    writeFileSync(paths.config(member), text);
    written[member] = digest(text);
  }
  return { written, ports, changed };
}

function isChanged(file: string, writtenDigest: string | undefined): boolean {
  return existsSync(file) && digest(readFileSync(file, 'utf8')) !== writtenDigest;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
