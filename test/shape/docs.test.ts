import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { parseConfig } from '../../src/config/load.ts';
import { loadRegistry } from '../../src/config/registry.ts';
import { ROOT } from './sources.ts';

/** Documents whose examples of whole configurations are tried; an example is whole where it has a pipeline. */
const DOCUMENTS = ['README.md', 'docs/CONFIGURATION.md'];

for (const name of DOCUMENTS) {
  void test(`the configurations in ${name} can be run`, async (t) => {
    const registry = await loadRegistry();
    const blocks = [...readFileSync(join(ROOT, name), 'utf8').matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, block = '']) => block);
    const whole = blocks.filter((block) => block.includes('pipelines:'));
    t.not(whole.length, 0, 'there is one at all');
    for (const block of whole) {
      const config = parseConfig(block, name, { registry, env: { DATACENTER: 'eu-1' } });
      t.equal(config.pipelines[0]?.name, 'logs');
    }
  });
}
