import { z } from 'zod';
import { defineExporter } from '../../../src/core/component.ts';
import { type Address, byteSize, duration, formatAddress, parseAddress } from '../../../src/kit/options.ts';
import { LogxExporter } from './exporter.ts';

function parseEndpoint(text: string): Address | undefined {
  const address = parseAddress(/^tcp:\/\/(.+)$/.exec(text)?.[1] ?? '');
  return address === undefined || address.port === 0 ? undefined : address;
}

const endpoint = z
  .string()
  .refine((text) => parseEndpoint(text) !== undefined, {
    error: 'must be tcp://host:port, such as tcp://log-a.example.net:6514',
  })
  .transform((text) => parseEndpoint(text) ?? { host: '', port: 0 });

const destination = z.strictObject({
  endpoint: endpoint.describe('Where the receiver listens.').meta({ examples: ['tcp://127.0.0.1:6514'] }),
  protocol: z.enum(['cfjs1']).default('cfjs1').describe('How records are sent.'),
  acknowledged: z
    .boolean()
    .default(true)
    .describe(
      'Whether the receiver acknowledges what it has stored. `false` sends lines and nothing else, for receivers that know only lines; delivery is then as sure as TCP makes it, which is not very.',
    ),
});

function haveOwnEndpoints(destinations: readonly { readonly endpoint: Address }[]): boolean {
  return new Set(destinations.map(({ endpoint }) => formatAddress(endpoint))).size === destinations.length;
}

export const options = z.strictObject({
  mode: z
    .enum(['replicate', 'failover'])
    .default('replicate')
    .describe(
      '`replicate`: every destination gets every record. `failover`: the first does, and while it cannot be reached the next ones do instead. In both, records that cannot reach their destination go to another one, marked with the name of their own.',
    ),
  destinations: z
    .record(
      z.string().regex(/^(?!.*\.\.)[A-Za-z][A-Za-z0-9._-]{0,62}$/, {
        error: 'must be a name of letters, digits, dot, underscore and dash that starts with a letter',
      }),
      destination,
    )
    .refine((destinations) => Object.keys(destinations).length > 0, { error: 'needs at least one destination' })
    .refine((destinations) => haveOwnEndpoints(Object.values(destinations)), {
      error: 'has two destinations with one endpoint: each needs a receiver of its own',
    })
    .describe('The receivers, by name, in order of preference.')
    .meta({
      examples: [
        {
          'log-a': { endpoint: 'tcp://127.0.0.1:6514', protocol: 'cfjs1' },
          'log-b': { endpoint: 'tcp://127.0.0.1:6515', protocol: 'cfjs1' },
        },
      ],
    }),
  ack_timeout: duration({ min: '100ms', max: '10m' })
    .prefault('2s')
    .describe('A receiver that owes an ack and has sent none for this long is in trouble.'),
  divert_after: duration({ min: '0s', max: '1h' })
    .prefault('1s')
    .describe('How long a receiver may be in trouble before its records go to another one.'),
  probe_interval: duration({ min: '100ms', max: '1h' })
    .prefault('2s')
    .describe('How often a receiver that was left is tried again; up to half as much is added at random.'),
  probe_successes: z.int().min(1).max(100).default(3).describe('How many tries in a row must succeed before its records return.'),
  min_dwell: duration({ min: '0s', max: '1h' })
    .prefault('10s')
    .describe('The least time that records stay away; doubles, up to sixteen times this, while returns do not last.'),
  max_unacked_bytes: byteSize({ min: '64KiB', max: '1GiB' })
    .prefault('8MiB')
    .describe('How much may be sent to a destination and wait for its ack.'),
});

export type LogxOptions = z.output<typeof options>;

export default defineExporter({
  summary: 'Ships records to log-x receivers, acknowledged, each destination with a way around its own endpoint.',
  options,
  destinations: ({ mode, destinations }) => Object.keys(destinations).slice(0, mode === 'failover' ? 1 : undefined),
  create: (checked, context) => new LogxExporter(checked, context),
});
