/** A configuration as the rest of the program sees it: complete, checked, defaults filled in, names resolved. */
import type { ExporterDefinition, ProcessorDefinition, ReceiverDefinition } from '../core/component.ts';
import type { Address } from '../kit/options.ts';

export type AnyReceiver = ReceiverDefinition<unknown>;
export type AnyProcessor = ProcessorDefinition<unknown>;
export type AnyExporter = ExporterDefinition<unknown>;
export type AnyDefinition = AnyReceiver | AnyProcessor | AnyExporter;

/** One configured component; `options` has passed the definition's schema and is what its `create` takes. */
export interface ComponentConfig<D extends AnyDefinition> {
  /** `type` or `type/name`, unique among the components of its kind; names are safe as file names. */
  readonly id: string;
  readonly type: string;
  readonly definition: D;
  readonly options: unknown;
}

/** Components by id, in the order of the file. */
export interface ComponentMaps {
  readonly receivers: ReadonlyMap<string, ComponentConfig<AnyReceiver>>;
  readonly processors: ReadonlyMap<string, ComponentConfig<AnyProcessor>>;
  readonly exporters: ReadonlyMap<string, ComponentConfig<AnyExporter>>;
}

/**
 * A receiver and an exporter belong to exactly one pipeline. A processor may be named by several, each of which makes its own
 * instance. Each list is in the order of the configuration; receivers and exporters are never empty.
 */
export interface PipelineConfig {
  readonly name: string;
  readonly receivers: readonly ComponentConfig<AnyReceiver>[];
  readonly processors: readonly ComponentConfig<AnyProcessor>[];
  readonly exporters: readonly ComponentConfig<AnyExporter>[];
  readonly spool: SpoolConfig;
  /** Undefined where records that are refused for good are not kept. */
  readonly deadLetters: DeadLettersConfig | undefined;
}

/** When batches go to disk: when memory fills, or when they come. */
export type Durability = 'overflow' | 'always';

export interface SpoolConfig {
  /** What batches that wait for delivery may take of memory. */
  readonly maxMemoryBytes: number;
  /** Undefined where they are in memory only. */
  readonly disk: { readonly directory: string; readonly maxBytes: number } | undefined;
  readonly durability: Durability;
  readonly commitIntervalMs: number;
}

export interface DeadLettersConfig {
  readonly directory: string;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface AgentConfig {
  /** Every component, in the order of the file; each is used by a pipeline. */
  readonly receivers: readonly ComponentConfig<AnyReceiver>[];
  readonly processors: readonly ComponentConfig<AnyProcessor>[];
  readonly exporters: readonly ComponentConfig<AnyExporter>[];
  readonly pipelines: readonly PipelineConfig[];
  readonly service: {
    readonly hostName: string;
    readonly stateDirectory: string;
    /** How long what is held may take to be delivered after the agent was told to stop. */
    readonly shutdownTimeoutMs: number;
  };
  readonly telemetry: {
    readonly address: Address;
    /** Per-service series per metric; the services beyond it are summed under `_other`. */
    readonly maxSeries: number;
    readonly logLevel: LogLevel;
  };
}

/** Destinations of an exporter, one spool cursor each: what its definition says, or one that has the exporter's id. */
export function destinationsOf(exporter: ComponentConfig<AnyExporter>): readonly string[] {
  return exporter.definition.destinations?.(exporter.options, exporter.id) ?? [exporter.id];
}
