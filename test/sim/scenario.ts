/** What a schedule is about: the configuration of the agent, the receivers and the sources, drawn from the seed. */
import type { Durability } from '../../src/config/agent_config.ts';
import type { OnFull } from '../../src/core/component.ts';
import type { Weather } from './link.ts';
import type { Random } from './random.ts';
import type { SourceOptions } from './source.ts';

export interface Scenario {
  readonly mode: 'replicate' | 'failover';
  /** Names of the receivers, in order of preference. */
  readonly receivers: readonly string[];
  readonly sources: readonly SourceOptions[];
  /** Most records of a batch. */
  readonly maxRecords: number;
  readonly spool: {
    /** Whether nothing of it will ever be full. */
    readonly isRoomy: boolean;
    readonly maxMemoryBytes: number;
    /** Undefined for a spool in memory only. */
    readonly maxDiskBytes: number | undefined;
    readonly durability: Durability;
    readonly commitIntervalMs: number;
  };
  readonly logx: {
    readonly ackTimeoutMs: number;
    readonly divertAfterMs: number;
    readonly maxUnackedBytes: number;
  };
  readonly maxFrameBytes: number;
  readonly weather: Weather;
  readonly windowBytes: number;
  readonly chopProbability: number;
  readonly maxDiskMs: number;
  /** The most that a write to a receiver's store takes. */
  readonly maxStoreMs: number;
  /** For how long sources write and faults come. */
  readonly durationMs: number;
  /** Records a second of each source. */
  readonly rate: number;
}

const ON_FULL: readonly [OnFull, ...OnFull[]] = ['drop_oldest', 'drop_newest', 'block'];
const KIB = 1024;

export function drawScenario(random: Random): Scenario {
  const receivers = ['log-a', 'log-b', 'log-c'].slice(0, random.pick([1, 2, 2, 2, 2, 2, 3]));
  const isRoomy = random.chance(0.3);
  const maxFrameBytes = random.pick([64 * KIB, 96 * KIB]);
  return {
    mode: random.chance(0.65) ? 'replicate' : 'failover',
    receivers,
    sources: drawSources(random, maxFrameBytes),
    maxRecords: random.integer(1, 24),
    spool: {
      isRoomy,
      maxMemoryBytes: isRoomy ? 4096 * KIB : random.integer(24, 160) * KIB,
      maxDiskBytes: random.chance(0.85) ? (isRoomy ? 16_384 * KIB : random.integer(32, 512) * KIB) : undefined,
      durability: random.chance(0.5) ? 'overflow' : 'always',
      commitIntervalMs: random.integer(5, 100),
    },
    logx: {
      ackTimeoutMs: random.pick([500, 2000]),
      divertAfterMs: random.pick([0, 300, 1000]),
      maxUnackedBytes: random.pick([8 * KIB, 64 * KIB, 1024 * KIB]),
    },
    maxFrameBytes,
    weather: { latencyMs: random.between(0.1, 20), jitterMs: random.between(0, 20) },
    windowBytes: random.pick([2 * KIB, 16 * KIB, 256 * KIB]),
    chopProbability: random.pick([0, 0.05, 0.3]),
    maxDiskMs: random.pick([0.2, 2, 10]),
    maxStoreMs: random.pick([2, 30, 200]),
    durationMs: random.integer(5000, 15_000),
    rate: random.pick([2, 8, 16]),
  };
}

function drawSources(random: Random, maxFrameBytes: number): SourceOptions[] {
  const troubleProbability = random.chance(0.3) ? random.between(0.005, 0.05) : 0;
  return Array.from({ length: random.integer(1, 3) }, (_, index): SourceOptions => {
    const isReplayable = random.chance(0.4);
    return {
      name: `${isReplayable ? 'journal' : 'pipe'}${index}`,
      isReplayable,
      onFull: random.pick(ON_FULL),
      services: ['web', 'db', 'cron'].slice(0, random.integer(1, 3)),
      maxTextBytes: random.pick([20, 200, 800]),
      largeBytes: maxFrameBytes,
      troubleProbability,
    };
  });
}
