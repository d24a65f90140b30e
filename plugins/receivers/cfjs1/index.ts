import { z } from 'zod';
import { defineReceiver } from '../../../src/core/component.ts';
import { COMPRESSIONS } from '../../../src/kit/compression.ts';
import { address, byteSize, duration, formatAddress } from '../../../src/kit/options.ts';
import { serverTls } from '../../../src/kit/tls_options.ts';
import { Cfjs1Receiver } from './receiver.ts';
import { MAX_HOLE } from './sequence_set.ts';

export const options = z
  .strictObject({
    listen: address()
      .describe('Where agents connect to.')
      .meta({ examples: ['127.0.0.1:6514'] }),
    tls: serverTls()
      .optional()
      .describe('Encrypts all connections; agents connect with `tls://`. Without it there is no encryption.'),
    name: z
      .string()
      .min(1)
      .max(63)
      .describe('Name of this receiver, as agents see it in its hello.')
      .meta({ examples: ['log-a'] }),
    max_connections: z.int().min(1).max(1_000_000).default(10_000).describe('Further connections are closed at once.'),
    max_line_bytes: byteSize({ min: '1KiB', max: '64MiB' })
      .prefault('2MiB')
      .describe('Longest line in plain mode; a connection that sends a longer one is refused.'),
    max_frame_bytes: byteSize({ min: '64KiB', max: '256MiB' })
      .prefault('32MiB')
      .describe('Largest batch in acknowledged mode; agents are told in the hello.'),
    compression: z
      .array(z.enum(COMPRESSIONS))
      .default([...COMPRESSIONS])
      .describe('How agents may compress batches, as they are told in the hello; an empty list for not at all.'),
    max_buffered_bytes: byteSize({ min: '1MiB', max: '64GiB' })
      .prefault('256MiB')
      .describe(
        'Memory for batches and lines of which only a part has come, over all connections; one that would take more is refused.',
      ),
    dedupe_window: z
      .int()
      .min(0)
      .max(MAX_HOLE)
      .default(1_000_000)
      .describe('Records of an epoch, counted back from the newest, of which copies are left out; 0 lets all copies pass.'),
    dedupe_max_epochs: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(65_536)
      .describe('Epochs of which that is remembered, over all agents; the one that was silent the longest is forgotten first.'),
    greeting_timeout: duration({ min: '100ms', max: '1h' })
      .prefault('1m')
      .describe('A connection that has not sent its first line by then is closed.'),
  })
  .refine(({ max_buffered_bytes, max_frame_bytes }) => max_buffered_bytes >= max_frame_bytes, {
    path: ['max_buffered_bytes'],
    error: 'must be at least max_frame_bytes',
  });

export type Cfjs1Options = z.output<typeof options>;

export default defineReceiver({
  summary: 'Takes cfjs1 from agents over TCP, acknowledged batches or plain lines: the receiving side of log-x.',
  replayable: true,
  options,
  claims: ({ listen }) => (listen.port === 0 ? [] : [`address:${formatAddress(listen)}`]),
  create: (checked, context) => new Cfjs1Receiver(checked, context),
});
