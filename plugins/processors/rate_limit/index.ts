import { defineProcessor } from '../../../src/core/component.ts';
import { rateLimitOptions } from './options.ts';
import { RateLimitProcessor } from './rate_limit.ts';

export default defineProcessor({
  summary: 'Keeps each service within a rate, so that none crowds out the others, and says in its log what was dropped.',
  options: rateLimitOptions,
  create: (options, context) => new RateLimitProcessor(options, context),
});
