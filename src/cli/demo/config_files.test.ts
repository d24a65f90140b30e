import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'tap';
import { parseConfig } from '../../config/load.ts';
import { loadRegistry } from '../../config/registry.ts';
import { writeConfigs } from './config_files.ts';
import { demoConfigs, PREFERRED_PORTS } from './configs.ts';
import type { Memory } from './memory.ts';
import { DemoPaths, MEMBERS } from './paths.ts';

const NOTHING: Memory = { written: {}, ports: undefined, pids: [] };

void test('every configuration that the demo writes can be run, wherever it lies', async (t) => {
  const registry = await loadRegistry();
  for (const directory of ['/tmp/var', '/tmp/with "quotes", #, ${env:NAME} and $$']) {
    const paths = new DemoPaths(directory);
    for (const hasJournal of [true, false]) {
      for (const [member, text] of demoConfigs(paths, PREFERRED_PORTS, hasJournal)) {
        const config = parseConfig(text, member, { registry, env: {} });
        t.equal(config.service.stateDirectory, paths.state(member), `${member} in ${directory}`);
        t.equal(
          config.receivers.some(({ type }) => type === 'journald'),
          hasJournal && member === 'sluice',
        );
      }
    }
  }
});

void test('a file that nobody has changed is written anew, one that was is left alone', async (t) => {
  const paths = new DemoPaths(t.testdir());
  const first = await writeConfigs(paths, NOTHING, false);
  t.same(first.changed, []);
  const again = await writeConfigs(paths, { ...NOTHING, ...first }, true);
  t.same(again.changed, []);
  t.match(readFileSync(paths.config('sluice'), 'utf8'), /^ {2}journald: \{\}$/m);

  const mine = `${readFileSync(paths.config('log-a'), 'utf8')}# mine\n`;
  writeFileSync(paths.config('log-a'), mine);
  const changed = await writeConfigs(paths, { ...NOTHING, ...again }, false);
  t.same(changed.changed, ['log-a']);
  t.equal(readFileSync(paths.config('log-a'), 'utf8'), mine);
  t.same(changed.ports, again.ports, 'the ports stay those that the changed file names');
  t.notMatch(readFileSync(paths.config('sluice'), 'utf8'), /^ {2}journald/m, 'the others are written anew');
});

void test('files that were there before the demo first ran are left alone', async (t) => {
  const paths = new DemoPaths(t.testdir({ 'log-b.yaml': 'receivers: {}\n' }));
  t.same((await writeConfigs(paths, NOTHING, false)).changed, ['log-b']);
  t.equal(readFileSync(paths.config('log-b'), 'utf8'), 'receivers: {}\n');
  t.equal(MEMBERS.length, 3);
});
