import assert from 'node:assert/strict';
import type { AnyDefinition } from '../../src/config/agent_config.ts';
import { type Option, optionTree } from '../../src/config/option_tree.ts';
import type { RawOptions } from './contract.ts';
import type { Rule } from './rule.ts';

const OPTION_NAME = /^[a-z][a-z0-9_]*$/;
const MAX_SUMMARY_LENGTH = 160;

/** What an operator has to write at least: the first example of each required option. */
function leastOptions(definition: AnyDefinition): RawOptions {
  const required = optionTree(definition.options).children.filter((option) => option.required);
  return Object.fromEntries(required.map(({ name, examples }) => [name, examples[0]]));
}

/** Every option at every depth, with its path as it would be written. */
function* allOptions(option: Option, path = ''): Iterable<{ readonly path: string; readonly option: Option }> {
  for (const child of option.children) {
    const childPath = [path, child.name].filter((part) => part !== '').join('.');
    yield { path: childPath, option: child };
    yield* allOptions(child, childPath);
  }
}

function assertAccepted(definition: AnyDefinition, options: RawOptions, what: string): unknown {
  const result = definition.options.safeParse(options);
  assert.ok(result.success, `${what} is refused: ${result.error?.message}`);
  return result.data;
}

export const definitionRules: readonly Rule<AnyDefinition>[] = [
  {
    title: 'is summed up in one sentence',
    async check({ summary }) {
      assert.match(summary, /^[A-Z][^\n]*\.$/, 'the summary starts with a capital, ends with a full stop and is one line');
      assert.ok(
        summary.length <= MAX_SUMMARY_LENGTH,
        `the summary has ${summary.length} characters, at most ${MAX_SUMMARY_LENGTH}`,
      );
    },
  },
  {
    title: 'works with the examples of its required options and nothing else',
    async check(definition) {
      for (const { name, required, examples } of optionTree(definition.options).children) {
        assert.ok(!required || examples.length > 0, `${name} is required and has no example: add .meta({ examples: […] })`);
      }
      assertAccepted(definition, leastOptions(definition), 'the least configuration');
    },
  },
  {
    title: 'refuses an option that it does not know',
    async check(definition) {
      const { error } = definition.options.safeParse({ ...leastOptions(definition), no_such_option: 1 });
      const codes = error?.issues.map(({ code }) => code) ?? [];
      assert.ok(codes.includes('unrecognized_keys'), 'an unknown option is accepted: use z.strictObject');
    },
  },
  {
    title: 'documents each option, and names it in lower case with underscores',
    async check({ options }) {
      for (const { path, option } of allOptions(optionTree(options))) {
        // The entries of a map and of a list are documented with it.
        if (!OPTION_NAME.test(option.name)) assert.ok(option.name === '' || option.name === '<name>', `the name of ${path}`);
        else assert.match(option.doc, /^\S.*\S\.?$/s, `the documentation of ${path}`);
      }
    },
  },
  {
    title: 'means the same with a default written out as with it left out',
    async check(definition) {
      const least = leastOptions(definition);
      const expected = assertAccepted(definition, least, 'the least configuration');
      for (const option of optionTree(definition.options).children) {
        if (option.required || option.default === undefined) continue;
        const written = assertAccepted(definition, { ...least, [option.name]: option.default }, `the default of ${option.name}`);
        assert.deepEqual(written, expected, `the default of ${option.name}, written out`);
      }
    },
  },
  {
    title: 'accepts each example of each option',
    async check(definition) {
      const least = leastOptions(definition);
      for (const { name, examples } of optionTree(definition.options).children) {
        for (const example of examples) {
          assertAccepted(definition, { ...least, [name]: example }, `the example ${JSON.stringify(example)} of ${name}`);
        }
      }
    },
  },
];
