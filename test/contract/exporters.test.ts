import { test } from 'tap';
import { exporterRules } from './exporter_rules.ts';
import { directories, hold, loadContract, loadDefinition, pluginTypes } from './plugins.ts';

for (const type of pluginTypes('exporters')) {
  void test(`the exporter ${type}`, async (t) => {
    const definition = await loadDefinition('exporters', type);
    const contract = await loadContract('exporters', type);
    const obstacle = contract.unavailable?.();
    if (obstacle !== undefined) return void t.pass('can be tried on this machine', { skip: obstacle });
    await hold(t, exporterRules, (t) => ({ definition, contract, directory: directories(t) }));
  });
}
