/** A small registry for tests: enough component types to write any mistake with, none of which can be started. */
import { z } from 'zod';
import { defineExporter, defineProcessor, defineReceiver } from '../../core/component.ts';
import { absolutePath, address, byteSize, duration, formatAddress } from '../../kit/options.ts';
import type { AnyExporter, AnyProcessor, AnyReceiver } from '../agent_config.ts';
import type { Registry } from '../registry.ts';

function create(): never {
  throw new Error('a definition of the test registry cannot be created');
}

const pipe = defineReceiver({
  summary: 'Reads lines from a named pipe.',
  replayable: false,
  options: z.strictObject({
    path: absolutePath()
      .describe('Path of the pipe.')
      .meta({ examples: ['/run/sluice/app.pipe'] }),
    format: z.enum(['json', 'text', 'auto']).default('auto').describe('How a line is read.'),
    service: z
      .string()
      .optional()
      .describe('Service of records that name none.')
      .meta({ examples: ['nginx'] }),
    max_line_bytes: byteSize({ min: '1KiB', max: '16MiB' }).prefault('256KiB').describe('Longest line | in bytes.'),
  }),
  claims: ({ path }) => [`path:${path}`],
  create,
});

const journald = defineReceiver({
  summary: 'Reads the journal.',
  replayable: true,
  options: z.strictObject({
    start_at: z.enum(['beginning', 'end']).default('end').describe('Where to start the first time.'),
    poll: duration({ min: '100ms', max: '1m' }).prefault('1s').describe('Slowest poll.'),
  }),
  create,
});

const cfjs1 = defineReceiver({
  summary: 'Takes records of other agents.',
  replayable: true,
  options: z.strictObject({
    listen: address()
      .describe('Address to listen on.')
      .meta({ examples: ['127.0.0.1:6514'] }),
  }),
  claims: ({ listen }) => [`address:${formatAddress(listen)}`],
  create,
});

const tag = defineProcessor({
  summary: 'Adds what is true of the whole host.',
  options: z.strictObject({
    datacenter: z
      .string()
      .optional()
      .describe('Data centre of this host.')
      .meta({ examples: ['eu-1'] }),
    tags: z
      .record(z.string(), z.string())
      .default({})
      .describe('Other tags.')
      .meta({ examples: [{ dc_state: 'active' }] }),
  }),
  create,
});

const limit = z.strictObject({
  records_per_second: z.number().min(1).describe('Sustained rate.'),
  burst: z.int().min(1).default(20000).describe('Records that may come at once.'),
});

const rateLimit = defineProcessor({
  summary: 'Keeps a service from crowding out the others.',
  options: z.strictObject({
    key: z.literal('service').default('service').describe('What is limited.'),
    records_per_second: z.number().min(1).default(5000).describe('Sustained rate.'),
    overrides: z
      .record(z.string(), limit)
      .default({})
      .describe('Other limits for some keys.')
      .meta({ examples: [{ nginx: { records_per_second: 50000, burst: 100000 } }] }),
  }),
  create,
});

const destination = z.strictObject({
  endpoint: z
    .string()
    .regex(/^tcp:\/\//, { error: 'must begin with tcp://' })
    .describe('Where it listens.')
    .meta({ examples: ['tcp://127.0.0.1:6514'] }),
  protocol: z.enum(['cfjs1', 'lines']).default('cfjs1').describe('How records are written.'),
});

const logx = defineExporter({
  summary: 'Ships to log-x receivers.',
  options: z.strictObject({
    mode: z.enum(['replicate', 'failover']).default('replicate').describe('Who gets which records.'),
    destinations: z
      .record(z.string(), destination)
      .describe('Receivers by name.')
      .meta({
        examples: [{ 'log-a': { endpoint: 'tcp://127.0.0.1:6514' }, 'log-b': { endpoint: 'tcp://127.0.0.1:6515' } }],
      }),
    retry: z
      .strictObject({
        initial: duration().prefault('100ms').describe('First wait.'),
        jitter: z.boolean().default(true).describe('Spread.'),
      })
      .prefault({})
      .describe('Waiting between attempts.'),
  }),
  destinations: ({ destinations }) => Object.keys(destinations),
  create,
});

const console = defineExporter({
  summary: 'Writes records to the terminal.',
  options: z.strictObject({}),
  create,
});

export const fakeRegistry: Registry = {
  receivers: new Map<string, AnyReceiver>([
    ['cfjs1', cfjs1],
    ['journald', journald],
    ['pipe', pipe],
  ]),
  processors: new Map<string, AnyProcessor>([
    ['rate_limit', rateLimit],
    ['tag', tag],
  ]),
  exporters: new Map<string, AnyExporter>([
    ['console', console],
    ['logx', logx],
  ]),
};
