/** The schema of everything in the file that is not a component's own options. */
import { z } from 'zod';
import { absolutePath, address, byteSize, duration } from '../kit/options.ts';

/** Names become file names and metric labels, so they are kept plain. */
export const NAME = '[A-Za-z0-9][A-Za-z0-9._-]{0,63}';
const PIPELINE_NAME = new RegExp(`^${NAME}$`);

const NAME_RULE = 'letters, digits, dot, underscore and dash, beginning with a letter or digit, 64 at most';

function idList() {
  return z.array(z.string());
}

const spoolOptions = z.strictObject({
  memory: z
    .strictObject({
      max_bytes: byteSize({ min: '1MiB', max: '64GiB' })
        .prefault('64MiB')
        .describe('Memory that batches waiting for delivery may take. Counts once, however many destinations there are.'),
    })
    .prefault({})
    .describe('Where batches wait first.'),
  disk: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe('Whether what memory does not hold goes to disk. Without it, a full memory is a full spool.'),
      max_bytes: byteSize({ min: '16MiB', max: '16384GiB' })
        .prefault('4GiB')
        .describe('Disk that batches waiting for delivery may take; what happens when it is full is up to each receiver.'),
      directory: absolutePath()
        .optional()
        .describe('Where they are kept; `spool/<pipeline>` in the state directory where it is not set.')
        .meta({ examples: ['/var/spool/sluice/logs'] }),
    })
    .prefault({})
    .describe('Where batches wait that a destination lags behind with.'),
  durability: z
    .enum(['overflow', 'always'])
    .default('overflow')
    .describe(
      '`overflow`: batches go to disk when memory fills, and at a stop. `always`: when they come, so that they outlive a crash; those whose source keeps them (journald, cfjs1) need it not.',
    ),
  commit_interval: duration({ min: '1ms', max: '10s' })
    .prefault('50ms')
    .describe('With `durability: always`, how long batches gather before they are written and synced together.'),
});

const spoolSchema = spoolOptions.refine(({ durability, disk }) => durability !== 'always' || disk.enabled, {
  path: ['durability'],
  error: 'is always, which nothing can keep where disk.enabled is false: enable the disk, or leave durability at overflow',
});

const deadLettersSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Whether records that a destination will not have are kept; otherwise they are dropped and counted.'),
  max_bytes: byteSize({ min: '1MiB', max: '16384GiB' })
    .prefault('256MiB')
    .describe('Disk that they may take; beyond it the oldest are removed.'),
  max_age: duration({ min: '1m', max: '3650d' }).prefault('30d').describe('Older ones are removed.'),
  directory: absolutePath()
    .optional()
    .describe('Where they are kept; `dead_letters/<pipeline>` in the state directory where it is not set.')
    .meta({ examples: ['/var/lib/sluice/dead_letters/logs'] }),
});

const pipelineSchema = z.strictObject({
  receivers: idList()
    .min(1, { error: 'needs at least one receiver' })
    .describe('Ids of the receivers that feed it. A receiver feeds exactly one pipeline.')
    .meta({ examples: [['journald', 'pipe/nginx']] }),
  processors: idList().default([]).describe('Ids of the processors that every batch passes, in this order.'),
  exporters: idList()
    .min(1, { error: 'needs at least one exporter' })
    .describe('Ids of the exporters; each destination of each of them gets every record.')
    .meta({ examples: [['logx']] }),
  spool: spoolSchema.prefault({}).describe('The buffer between processors and exporters.'),
  dead_letters: deadLettersSchema.prefault({}).describe('What becomes of records that a destination refuses for good.'),
});

const telemetrySchema = z.strictObject({
  address: address()
    .prefault('127.0.0.1:9476')
    .describe('Where /metrics, /healthz and /readyz are served. Port 0 lets the system choose.'),
  max_series: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1000)
    .describe('Services that have series of their own in each metric; the rest is summed under the service "_other".'),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe("Least severity of the agent's own log."),
});

const serviceSchema = z.strictObject({
  host_name: z
    .string()
    .min(1, { error: 'must not be empty' })
    .max(255, { error: 'must have at most 255 characters' }) // what receivers take in a hello
    .optional()
    .describe('Name of this host in every record; what the system says where it is not set.')
    .meta({ examples: ['web-1.example.com'] }),
  state_directory: absolutePath()
    .default('/var/lib/sluice')
    .describe('Directory for what must survive a restart, such as the position in the journal.'),
  shutdown_timeout: duration({ min: '0s', max: '1h' })
    .prefault('10s')
    .describe('How long a stop may take to deliver what is held.'),
  pipelines: z
    .record(z.string().regex(PIPELINE_NAME, { error: `must be ${NAME_RULE}` }), pipelineSchema)
    .refine((pipelines) => Object.keys(pipelines).length > 0, { error: 'needs at least one pipeline' })
    .describe('Which receivers feed which exporters, through which processors.')
    .meta({ examples: [{ logs: { receivers: ['journald'], exporters: ['logx'] } }] }),
  telemetry: telemetrySchema.prefault({}).describe("The agent's metrics, health and own log."),
});

function components(kind: string) {
  return z
    .record(z.string(), z.unknown())
    .describe(`The ${kind}, by id: a type, or type/name where there are several of one type.`);
}

/** The whole file; the options of each component are checked with its definition's schema. */
export const fileSchema = z.strictObject({
  receivers: components('receivers'),
  processors: components('processors').default({}),
  exporters: components('exporters'),
  service: serviceSchema.describe('Pipelines, and what concerns the agent as a whole.'),
});

export type FileConfig = z.output<typeof fileSchema>;
export { serviceSchema };

const COMPONENT_ID = new RegExp(`^([^/]+)(?:/(${NAME}))?$`);

export type ParsedId = { readonly type: string } | { readonly message: string; readonly hint: string };

/** The type of a component id, or what is wrong with it. */
export function parseComponentId(id: string): ParsedId {
  const [, type] = COMPONENT_ID.exec(id) ?? [];
  if (type !== undefined) return { type };
  return { message: 'is not a component id', hint: `write type or type/name; a name is made of ${NAME_RULE}` };
}
