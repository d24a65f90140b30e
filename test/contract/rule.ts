import assert from 'node:assert/strict';

/**
 * One thing that is promised of every component of a kind. The check throws, with a message that says what was broken; that it does
 * so is tested with components that break it.
 */
export interface Rule<Subject> {
  /** Reads as a sentence after the component's name. */
  readonly title: string;
  /** Rejects with `NotApplicable` where the rule has nothing to say about this component. */
  check(subject: Subject): Promise<void>;
}

/** Thrown by a check that does not apply; its message says why. */
export class NotApplicable extends Error {}

/** Throws where two lists differ, naming the first difference instead of printing both. */
export function sameList<T>(actual: readonly T[], expected: readonly T[], what: string): void {
  const length = Math.max(actual.length, expected.length);
  for (let at = 0; at < length; at++) {
    if (actual[at] === expected[at]) continue;
    const counts = `${actual.length} instead of ${expected.length} in all`;
    assert.fail(`${what}: number ${at} is ${JSON.stringify(actual[at])} instead of ${JSON.stringify(expected[at])} (${counts})`);
  }
}

/** The list without what it had before, in the order of first appearance. */
export function withoutRepeats<T>(list: readonly T[]): T[] {
  return [...new Set(list)];
}

/** The rule whose title begins so; for tests of the rules. */
export function ruleNamed<Subject>(rules: readonly Rule<Subject>[], beginning: string): Rule<Subject> {
  const [rule, ...others] = rules.filter(({ title }) => title.startsWith(beginning));
  if (rule === undefined || others.length > 0)
    throw new Error(`${others.length + (rule ? 1 : 0)} rules begin with "${beginning}"`);
  return rule;
}
