import { z } from 'zod';
import { duration } from '../../../src/kit/options.ts';

const rate = z.number().positive();
const burst = z.number().min(1);

export const rateLimitOptions = z.strictObject({
  key: z.enum(['service']).default('service').describe('What the limit is applied to: each `service` has a bucket of its own.'),
  records_per_second: rate
    .meta({ examples: [5000] })
    .describe('Records a second that each key may send over time; fractions are allowed, `0.1` is one record in ten seconds.'),
  burst: burst
    .optional()
    .meta({ examples: [20000] })
    .describe(
      'Records that a key may send at once after a quiet time. Without it: as many as `records_per_second`, at least one.',
    ),
  overrides: z
    .record(
      z.string(),
      z.strictObject({
        records_per_second: rate.optional().describe('The rate of this key. Without it: the general one.'),
        burst: burst
          .optional()
          .describe("The burst of this key. Without it: the general one, or this key's rate where none is given."),
      }),
    )
    .default({})
    .describe('Limits of single keys, by name; the empty name stands for records that name no service.'),
  max_keys: z
    .int()
    .min(1)
    .default(10_000)
    .describe(
      'Keys that are remembered. For one more, the one unused for longest is forgotten; should it return, its bucket is full.',
    ),
  summary_interval: duration({ min: '1s', max: '1h' })
    .prefault('10s')
    .describe('For each service that was limited, one record in this time says how many of its records were dropped.'),
});

export type RateLimitOptions = z.output<typeof rateLimitOptions>;
