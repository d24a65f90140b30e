import { defineProcessor } from '../../../src/core/component.ts';
import { tagOptions } from './options.ts';
import { TagProcessor } from './tag.ts';

export default defineProcessor({
  summary: 'Adds host, data centre and any static tags to records, at no cost per record.',
  options: tagOptions,
  create: (options, context) => new TagProcessor(options, context),
});
