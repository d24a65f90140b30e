import { test } from 'tap';
import { directories, hold, loadContract, loadDefinition, pluginTypes } from './plugins.ts';
import { processorRules } from './processor_rules.ts';

for (const type of pluginTypes('processors')) {
  void test(`the processor ${type}`, async (t) => {
    const definition = await loadDefinition('processors', type);
    const { optionSets } = await loadContract('processors', type);
    for (const options of optionSets) {
      await t.test(`${type} with ${JSON.stringify(options)}`, (t) =>
        hold(t, processorRules, (t) => ({ definition, options, directory: directories(t) })),
      );
    }
  });
}
