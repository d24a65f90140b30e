import { test } from 'tap';
import { directories, hold, loadContract, loadDefinition, pluginTypes } from './plugins.ts';
import { receiverRules } from './receiver_rules.ts';

for (const type of pluginTypes('receivers')) {
  void test(`the receiver ${type}`, async (t) => {
    const definition = await loadDefinition('receivers', type);
    const contract = await loadContract('receivers', type);
    const obstacle = contract.unavailable?.();
    if (obstacle !== undefined) return void t.pass('can be tried on this machine', { skip: obstacle });
    await hold(t, receiverRules, (t) => ({ definition, contract, directory: directories(t) }));
  });
}
