import { test } from 'tap';
import { z } from 'zod';
import { defineProcessor } from '../../src/core/component.ts';
import { duration } from '../../src/kit/options.ts';
import { definitionRules } from './definition_rules.ts';
import { ruleNamed } from './rule.ts';

function definitionOf(options: z.ZodType, summary = 'Does something for a test.') {
  return defineProcessor<unknown>({ summary, options, create: () => ({ process: () => {} }) });
}

const good = z.strictObject({
  path: z
    .string()
    .meta({ examples: ['/a'] })
    .describe('Where.'),
  limits: z
    .record(z.string(), z.strictObject({ rate: z.number().optional().describe('How many.') }))
    .default({})
    .describe('Which.'),
  interval: duration({ min: '1s' }).prefault('10s').describe('How often.'),
});

void test('a definition that keeps the contract breaks no rule', async (t) => {
  for (const rule of definitionRules) await t.resolves(rule.check(definitionOf(good)), rule.title);
});

const broken: readonly (readonly [what: string, options: z.ZodType, rule: string, message: RegExp])[] = [
  ['takes unknown options', z.object({ a: z.string().default('').describe('A.') }), 'refuses an option', /use z.strictObject/],
  ['does not document an option', z.strictObject({ a: z.string().default('') }), 'documents each', /documentation of a$/m],
  [
    'does not document an option inside a map',
    z.strictObject({ a: z.record(z.string(), z.strictObject({ rate: z.number() })).describe('A.') }),
    'documents each',
    /documentation of a\.<name>\.rate/,
  ],
  ['names an option in camel case', z.strictObject({ maxKeys: z.int().describe('A.') }), 'documents each', /name of maxKeys/],
  ['has a required option without an example', z.strictObject({ a: z.string().describe('A.') }), 'works with', /a is required/],
  [
    'has a required option whose example is wrong',
    z.strictObject({
      a: z
        .string()
        .min(2)
        .meta({ examples: ['x'] })
        .describe('A.'),
    }),
    'works with',
    /least configuration is refused/,
  ],
  [
    'has a wrong example of an option that is not required',
    z.strictObject({
      a: z
        .string()
        .min(2)
        .optional()
        .meta({ examples: ['xy', 'x'] })
        .describe('A.'),
    }),
    'accepts each example',
    /example "x" of a is refused/,
  ],
  [
    'has a default that it would refuse',
    z.strictObject({ a: z.int().min(5).default(1).describe('A.') }),
    'means the same',
    /default of a is refused/,
  ],
];

for (const [what, options, rule, message] of broken) {
  void test(`a definition that ${what} is found out`, async (t) => {
    await t.rejects(ruleNamed(definitionRules, rule).check(definitionOf(options)), { message });
  });
}

void test('a summary that is not one sentence is found out', async (t) => {
  for (const summary of ['', 'no capital.', 'No full stop', 'Two\nlines.', `${'Long'.repeat(50)}.`]) {
    await t.rejects(ruleNamed(definitionRules, 'is summed up').check(definitionOf(good, summary)), { message: /the summary/ });
  }
});
