import { z } from 'zod';
import { defineExporter } from '../../../src/core/component.ts';
import { ConsoleExporter } from './exporter.ts';

const options = z.strictObject({
  stream: z.enum(['stdout', 'stderr']).describe('Where the lines go.').default('stdout'),
});

export type ConsoleOptions = z.output<typeof options>;

export default defineExporter<ConsoleOptions>({
  summary: 'Prints records as cfjs1 lines, for trying things out.',
  options,
  create: ({ stream }, context) => new ConsoleExporter(process[stream], context),
});
