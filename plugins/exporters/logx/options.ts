import { z } from 'zod';
import { COMPRESSIONS } from '../../../src/kit/compression.ts';
import { type Address, byteSize, duration, formatAddress, parseAddress } from '../../../src/kit/options.ts';
import { clientTls } from '../../../src/kit/tls_options.ts';

/** An endpoint as it is written in the configuration. */
export interface EndpointOption extends Address {
  readonly isEncrypted: boolean;
}

function parseEndpoint(text: string): EndpointOption | undefined {
  const [, scheme, rest = ''] = /^(tcp|tls):\/\/(.+)$/.exec(text) ?? [];
  const address = parseAddress(rest);
  return address === undefined || address.port === 0 ? undefined : { ...address, isEncrypted: scheme === 'tls' };
}

const endpoint = z
  .string()
  .refine((text) => parseEndpoint(text) !== undefined, {
    error: 'must be tcp://host:port or tls://host:port, such as tls://log-a.example.net:6514',
    abort: true, // what is checked of all endpoints together needs each of them to be one
  })
  .transform((text) => parseEndpoint(text) ?? { host: '', port: 0, isEncrypted: false });

interface WithEndpoints {
  readonly endpoint?: EndpointOption | undefined;
  readonly endpoints?: readonly EndpointOption[] | undefined;
}

/** Endpoints of a destination, in order of preference. */
export function endpointsOf({ endpoint, endpoints = [] }: WithEndpoints): readonly EndpointOption[] {
  return endpoint === undefined ? endpoints : [endpoint];
}

const destination = z
  .strictObject({
    endpoint: endpoint
      .optional()
      .describe('Where the receiver listens: `tcp://host:port`, or `tls://host:port` for an encrypted connection.')
      .meta({ examples: ['tcp://127.0.0.1:6514'] }),
    endpoints: z
      .array(endpoint)
      .min(1)
      .optional()
      .describe(
        'Instead of `endpoint`, where receivers listen that share the destination. One is used for as long as it takes records, then the next one, without a mark.',
      )
      .meta({ examples: [['tls://log-a1.example.net:6514', 'tls://log-a2.example.net:6514']] }),
    tls: clientTls().optional().describe('How `tls://` endpoints are connected to.'),
    protocol: z.enum(['cfjs1']).default('cfjs1').describe('How records are sent.'),
    acknowledged: z
      .boolean()
      .default(true)
      .describe(
        'Whether the receiver acknowledges what it has stored. `false` sends lines and nothing else, for receivers that know only lines; delivery is then as sure as TCP makes it, which is not very.',
      ),
    compression: z
      .enum(['none', ...COMPRESSIONS])
      .default('none')
      .describe(
        'How batches to these endpoints are compressed, where the receiver offers it; where it does not, they are sent as they are.',
      ),
  })
  .refine(({ endpoint, endpoints }) => (endpoint === undefined) !== (endpoints === undefined), {
    error: 'needs either endpoint or endpoints',
  })
  .refine((given) => given.tls === undefined || endpointsOf(given).some(({ isEncrypted }) => isEncrypted), {
    path: ['tls'],
    error: 'is set, and no endpoint is tls://, so that nothing would be encrypted; write tls://host:port, or leave tls out',
  })
  .refine(({ compression, acknowledged }) => compression === 'none' || acknowledged, {
    path: ['compression'],
    error: 'is for receivers that acknowledge; leave it out with acknowledged: false, which sends lines as they are',
  });

export type DestinationOptions = z.output<typeof destination>;

function haveOwnEndpoints(destinations: readonly DestinationOptions[]): boolean {
  const all = destinations.flatMap(endpointsOf).map(formatAddress);
  return new Set(all).size === all.length;
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
      error: 'has one endpoint twice: two destinations with one endpoint would store each record twice, and go nowhere else',
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
    .describe(
      'A receiver that owes an ack and has sent none for this long is in trouble; so is one that takes as long to answer.',
    ),
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
    .describe(
      'How much may be sent to a destination and wait for its ack, in bytes of lines before they are compressed. A new connection begins with 64 KiB and grows by what is acked.',
    ),
  max_attempts: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      'How often records are sent, each time without an ack, before they go to the dead letters as `retries_exhausted`; without it, for ever. Times when no connection can be made do not count.',
    )
    .meta({ examples: [100] }),
});

export type LogxOptions = z.output<typeof options>;
