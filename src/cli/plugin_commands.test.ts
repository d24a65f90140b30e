import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Test, test } from 'tap';
import { temporaryDirectory } from '../../test/helpers/temporary_directory.ts';
import { GOOD } from '../config/testdata/problems.ts';
import { COMMANDS } from './commands.ts';
import { loadPluginCommands } from './plugin_commands.ts';
import { run } from './testdata/run.ts';

const GREET = `
export const examples = [['sluice greet x', 'says hello']];
export function register(program, terminal) {
  program.command('greet').argument('<file>').description('say hello').action(async (file) => {
    const components = await terminal.configured(file);
    terminal.stdout.write(components.map(({ id, stateDirectory }) => id + ' in ' + stateDirectory).join());
  });
}
`;

/** A directory of plugins in which the receiver `pipe` has these commands. */
function plugins(t: Test, commands: string): string {
  const root = temporaryDirectory(t);
  const file = join(root, 'receivers/pipe/cli/index.ts');
  mkdirSync(dirname(file), { recursive: true });
  mkdirSync(join(root, 'receivers/unix'));
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  writeFileSync(file, commands);
  return root;
}

void test('a plugin’s command is found by its path, and shown by the help behind the others', async (t) => {
  const root = plugins(t, GREET);
  const { code, stdout } = await run(['--help'], {}, COMMANDS, () => loadPluginCommands(root));
  t.equal(code, 0);
  t.match(stdout, /logx[^]*greet <file> +say hello[^]*Examples:[^]*sluice greet x +says hello/);
  t.match(await run(['help', 'greet'], {}, COMMANDS, () => loadPluginCommands(root)), { code: 0, stdout: /Usage: sluice greet/ });
});

void test('a plugin’s command is told of the plugin’s own components, and of no others', async (t) => {
  const root = plugins(t, GREET);
  const file = join(root, 'sluice.yaml');
  writeFileSync(file, `${GOOD}  state_directory: /var/lib/x\n`);
  t.match(await run(['greet', file], {}, COMMANDS, () => loadPluginCommands(root)), {
    code: 0,
    stdout: 'pipe/nginx in /var/lib/x/receivers/pipe/nginx',
    stderr: '',
  });
});

void test('plugins are not looked at where a built-in command is meant', async (t) => {
  const { code, stderr } = await run(['check', 'none.yaml'], {}, COMMANDS, () => Promise.reject(new Error('looked')));
  t.equal(code, 1);
  t.notMatch(stderr, /looked/);
  t.match(await run(['chekc'], {}, COMMANDS, () => loadPluginCommands(temporaryDirectory(t))), { stderr: /Did you mean check/ });
});

void test('commands that cannot be used are named', async (t) => {
  for (const [text, why] of [
    ['export const register = 1;', /does not export "register"/],
    ['this is no program', /cannot be loaded/],
  ] as const) {
    const root = plugins(t, text);
    const { code, stderr } = await run(['greet'], {}, COMMANDS, () => loadPluginCommands(root));
    t.equal(code, 1);
    t.match(stderr, why);
    t.match(stderr, /receivers\/pipe\/cli\/index\.ts/);
  }
});
