import { test } from 'tap';
import { SECTIONS } from '../../src/config/registry.ts';
import { definitionRules } from './definition_rules.ts';
import { hold, loadDefinition, pluginTypes } from './plugins.ts';

for (const section of SECTIONS) {
  for (const type of pluginTypes(section)) {
    void test(`${section}/${type}`, async (t) => {
      const definition = await loadDefinition(section, type);
      await hold(t, definitionRules, () => definition);
    });
  }
}
