import { z } from 'zod';
import { defineReceiver } from '../../../src/core/component.ts';
import { lineOptions } from '../../../src/kit/line_options.ts';
import { absolutePath, byteSize, duration } from '../../../src/kit/options.ts';
import { UnixReceiver } from './receiver.ts';
import { MAX_SOCKET_PATH_BYTES } from './socket_path.ts';

export const options = z
  .strictObject({
    path: absolutePath()
      .refine((path) => Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES, {
        error: `must be at most ${MAX_SOCKET_PATH_BYTES} bytes long, which is all that a socket address has room for`,
      })
      .describe('The stream socket. One that a crashed agent left behind is taken over; its directory must exist.')
      .meta({ examples: ['/run/sluice/log.sock'] }),
    mode: z
      .string()
      .regex(/^0[0-7]{3}$/, { error: 'must be an octal mode in quotes, such as "0666"' })
      .default('0666')
      .describe('Permissions of the socket: who may connect and write.'),
    max_connections: z.int().min(1).max(100_000).default(1024).describe('Further connections are closed at once, and counted.'),
    max_buffered_bytes: byteSize({ min: '1MiB', max: '64GiB' })
      .prefault('64MiB')
      .describe(
        'Memory for lines that are not finished, over all connections. A line that would take more ships as it is, marked `partial`.',
      ),
    batch_age: duration({ min: '1ms', max: '10s' })
      .prefault('25ms')
      .describe('The longest that a record waits for others to share its batch.'),
    ...lineOptions,
  })
  .refine(({ max_buffered_bytes, max_line_bytes }) => max_buffered_bytes >= 2 * max_line_bytes, {
    path: ['max_buffered_bytes'],
    error: 'must be at least twice max_line_bytes',
  });

export type UnixOptions = z.output<typeof options>;

export default defineReceiver({
  summary: 'Takes lines from services over a unix stream socket.',
  replayable: false,
  options,
  onFull: ({ on_full }) => on_full,
  claims: ({ path }) => [`path:${path}`],
  create: (checked, context) => new UnixReceiver(checked, context),
});
