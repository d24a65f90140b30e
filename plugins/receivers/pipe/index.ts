import { z } from 'zod';
import { defineReceiver } from '../../../src/core/component.ts';
import { lineOptions } from '../../../src/kit/line_options.ts';
import { absolutePath, byteSize } from '../../../src/kit/options.ts';
import { PipeReceiver } from './receiver.ts';

export const options = z.strictObject({
  path: absolutePath()
    .describe('The named pipe. It is created where it does not exist; its directory must.')
    .meta({ examples: ['/run/sluice/app.pipe'] }),
  mode: z
    .string()
    .regex(/^0[0-7]{3}$/, { error: 'must be an octal mode in quotes, such as "0660"' })
    .default('0660')
    .describe('Permissions of a pipe that is created here; one that exists keeps its own.'),
  capacity: byteSize({ min: '4KiB', max: '1GiB' })
    .prefault('1MiB')
    .describe(
      'What the kernel holds for writers while the agent does something else or is restarted. More than /proc/sys/fs/pipe-max-size needs privileges; what is not granted is logged.',
    ),
  ...lineOptions,
});

export type PipeOptions = z.output<typeof options>;

export default defineReceiver({
  summary: 'Reads lines from a named pipe that services write to.',
  replayable: false,
  options,
  onFull: ({ on_full }) => on_full,
  claims: ({ path }) => [`path:${path}`],
  create: (checked, context) => new PipeReceiver(checked, context),
});
