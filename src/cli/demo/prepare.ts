/** What the demo does before it starts anything. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import type { Server } from 'node:net';
import type { AgentConfig } from '../../config/agent_config.ts';
import { loadConfig } from '../../config/load.ts';
import { errnoOf, SluiceError } from '../../core/errors.ts';
import type { Cli } from '../cli.ts';
import { writeConfigs } from './config_files.ts';
import { findJournal, type JournalAccess } from './journal.ts';
import { endLeftovers } from './leftovers.ts';
import { lockDirectory } from './lock.ts';
import { readMemory, writeMemory } from './memory.ts';
import { type DemoPaths, type MemberName, MEMBERS } from './paths.ts';
import { DemoPipe } from './pipe.ts';

/** What processes of an earlier demo may take to end. */
const LEFTOVER_TIMEOUT_MS = 15_000;

export interface Prepared {
  /** Holds the directory; to be closed when the demo is over. */
  readonly lock: Server;
  /** Held open. */
  readonly pipe: DemoPipe;
  readonly journal: JournalAccess;
  readonly configs: ReadonlyMap<MemberName, AgentConfig>;
  /** The processes whose configuration has been changed by somebody. */
  readonly changed: readonly MemberName[];
  /** What was found and put right, as sentences for the user. */
  readonly notes: readonly string[];
}

/** Throws a SluiceError where the directory cannot be used, or another demo uses it, or a configuration was changed for the worse. */
export async function prepareDemo(paths: DemoPaths, cli: Cli): Promise<Prepared> {
  try {
    mkdirSync(paths.directory, { recursive: true });
    accessSync(paths.directory, constants.W_OK | constants.X_OK);
    const lock = await lockDirectory(paths.directory);
    try {
      return { lock, ...(await prepareFiles(paths, cli)) };
    } catch (error) {
      lock.close();
      throw error;
    }
  } catch (error) {
    throw explain(error, paths.directory);
  }
}

async function prepareFiles(paths: DemoPaths, cli: Cli): Promise<Omit<Prepared, 'lock'>> {
  const notes: string[] = [];
  const memory = readMemory(paths.memory);
  const ended = await endLeftovers(memory.pids, paths.directory, LEFTOVER_TIMEOUT_MS);
  if (ended > 0) notes.push(`Ended ${ended} processes that an earlier demo, which was killed, had left running.`);
  const pipe = new DemoPipe(paths.pipe);
  const moved = pipe.moveFileAway();
  if (moved !== undefined) notes.push(`What was written to ${paths.pipe} while no demo ran is in ${moved} now.`);

  const journal = findJournal();
  const { written, ports, changed } = await writeConfigs(paths, memory, journal.isReadable);
  writeMemory(paths.memory, { written, ports, pids: [] });
  const context = { registry: await cli.registry(), env: cli.env };
  const configs = new Map<MemberName, AgentConfig>();
  for (const member of MEMBERS) configs.set(member, await loadConfig(paths.config(member), context));
  pipe.hold();
  return { pipe, journal, configs, changed, notes };
}

function explain(error: unknown, directory: string): unknown {
  const errno = errnoOf(error);
  if (error instanceof SluiceError || errno === undefined) return error;
  const reason = error instanceof Error ? error.message : errno;
  return new SluiceError('permission_denied', `the demo cannot keep its files in ${directory} (${reason})`, {
    hint: 'it may have been used by another user: remove it, or choose another place with --directory',
    cause: error,
  });
}
