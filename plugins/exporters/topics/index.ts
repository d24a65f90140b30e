import { z } from 'zod';
import { defineExporter } from '../../../src/core/component.ts';
import { absolutePath } from '../../../src/kit/options.ts';
import { TopicsExporter } from './exporter.ts';

const options = z.strictObject({
  directory: absolutePath()
    .describe('Directory of the topic files; created where it is missing. No two stores may share one.')
    .meta({ examples: ['/var/lib/sluice/topics'] }),
  sync: z
    .boolean()
    .describe('Acknowledge records only once the disk has them. Without it a power loss loses the last seconds.')
    .default(true),
  max_open_files: z
    .int()
    .min(1)
    .max(65_536)
    .describe('Topic files that are kept open; beyond that the least recently used one is closed.')
    .default(256),
  max_topics: z
    .int()
    .min(1)
    .max(1_000_000)
    .describe(
      'Most topics. Records of further ones go to the topic `overflow`, so that a peer cannot fill the directory with files.',
    )
    .default(10_000),
});

export type TopicsOptions = z.output<typeof options>;

export default defineExporter<TopicsOptions>({
  summary: 'The embedded store: appends records to one file of lines for each topic, synced before they are acknowledged.',
  options,
  claims: ({ directory }) => [`path:${directory}`],
  create: (options, context) => new TopicsExporter(options, context),
});
