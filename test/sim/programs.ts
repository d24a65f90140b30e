/** How the agent and the receivers of a scenario are configured. */
import type { AnyDefinition, AnyExporter, AnyReceiver, ComponentConfig, PipelineConfig } from '../../src/config/agent_config.ts';
import { defineExporter, defineReceiver } from '../../src/core/component.ts';
import type { FileSystem } from '../../src/core/files.ts';
import { LogxExporter } from '../../plugins/exporters/logx/exporter.ts';
import logx, { type LogxOptions, options as logxOptions } from '../../plugins/exporters/logx/index.ts';
import { options as cfjs1Options } from '../../plugins/receivers/cfjs1/index.ts';
import { Cfjs1Receiver } from '../../plugins/receivers/cfjs1/receiver.ts';
import type { Incarnation, Machine } from './incarnation.ts';
import type { Accept, Network } from './network.ts';
import { STATE_DIRECTORY } from './program.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import type { Source } from './source.ts';
import { sourceDefinition } from './source_receiver.ts';
import type { Store } from './store.ts';
import { storeDefinition } from './store_exporter.ts';

export const SPOOL_DIRECTORY = `${STATE_DIRECTORY}/spool`;
export const DEAD_LETTERS_DIRECTORY = `${STATE_DIRECTORY}/dead_letters`;

/** What both kinds of program are made of. */
export interface Parts {
  readonly scenario: Scenario;
  readonly network: Network;
  readonly incarnation: Incarnation;
  readonly files: FileSystem;
  readonly random: Random;
}

/** The account, in a receiver's ledger, of what agents have sent. */
export const RECEIVER_ID = 'cfjs1';

const PORT = 6514;

/** Numbers of a simulated source never go back, so one name for the boot of its host is enough. */
const BOOT_ID = '4f1b2f3c-8f0e-4d29-9a53-5d1f0f2f9f11';

/** Receivers keep their records at the agents until their store has them, so their own spool is small. */
const RECEIVER_MEMORY_BYTES = 512 * 1024;

export function agentConfig(parts: Parts, sources: readonly Source[], machineOf: (name: string) => Machine): PipelineConfig {
  const { scenario, incarnation, files, random, network } = parts;
  const { mode, receivers, logx: tuning, maxRecords } = scenario;
  const options: LogxOptions = {
    ...logxOptions.parse({
      mode,
      destinations: Object.fromEntries(receivers.map((name) => [name, { endpoint: `tcp://${name}:${PORT}` }])),
    }),
    ack_timeout: tuning.ackTimeoutMs,
    divert_after: tuning.divertAfterMs,
    max_unacked_bytes: tuning.maxUnackedBytes,
  };
  const outside = {
    random: random.next,
    readBoot: () => BOOT_ID,
    dial: ({ host }: { host: string }) => network.dial(incarnation, machineOf(host)),
  };
  const { kind: _kind, ...definition } = logx;
  return {
    ...commonConfig(scenario.spool),
    receivers: sources.map((source) =>
      component<AnyReceiver>(
        source.options.name,
        sourceDefinition({ source, incarnation, files, random: random.fork(), maxRecords }),
        undefined,
      ),
    ),
    exporters: [
      component<AnyExporter>(
        'logx',
        defineExporter({
          ...definition,
          create: (_options, context) => new LogxExporter(options, context, outside),
        }),
        options,
      ),
    ],
  };
}

export function receiverConfig(parts: Parts, store: Store): PipelineConfig {
  const { scenario, incarnation, random, network } = parts;
  const { name } = incarnation.machine;
  const options = {
    ...cfjs1Options.parse({ listen: `0.0.0.0:${PORT}`, name }),
    max_frame_bytes: scenario.maxFrameBytes,
  };
  let stop: (() => void) | undefined;
  const listener = {
    start: (onConnection: Accept): Promise<void> => {
      stop = network.listen(incarnation, onConnection);
      return Promise.resolve();
    },
    stop: () => stop?.(),
  };
  const receiver = defineReceiver({
    summary: 'Takes cfjs1 over a simulated network.',
    replayable: true,
    options: cfjs1Options,
    create: (_options, context) => new Cfjs1Receiver(options, context, { listener }),
  });
  const spool = { ...scenario.spool, maxMemoryBytes: RECEIVER_MEMORY_BYTES };
  return {
    ...commonConfig(spool),
    receivers: [component<AnyReceiver>(RECEIVER_ID, receiver, options)],
    exporters: [component<AnyExporter>('store', storeDefinition({ store, incarnation, random: random.fork() }), undefined)],
  };
}

function commonConfig({ maxMemoryBytes, maxDiskBytes, durability, commitIntervalMs }: Scenario['spool']) {
  return {
    name: 'logs',
    processors: [],
    spool: {
      maxMemoryBytes,
      disk: maxDiskBytes === undefined ? undefined : { directory: SPOOL_DIRECTORY, maxBytes: maxDiskBytes },
      durability,
      commitIntervalMs,
    },
    deadLetters: { directory: DEAD_LETTERS_DIRECTORY, maxBytes: 256 * 1024 * 1024, maxAgeMs: 30 * 86_400_000 },
  };
}

function component<D extends AnyDefinition>(id: string, definition: D, options: unknown): ComponentConfig<D> {
  return { id, type: id, definition, options };
}
