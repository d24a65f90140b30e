import { test } from 'tap';
import { SluiceError } from '../core/errors.ts';
import type { CommandModule } from './cli.ts';
import { run } from './testdata/run.ts';

/** A command that throws what it is given. */
function failing(thrown: unknown): readonly CommandModule[] {
  return [{ register: (program) => void program.command('fail').action(() => Promise.reject(thrown)) }];
}

void test('without arguments the help says what Sluice is, what there is to do and how', async (t) => {
  const { code, stdout, stderr } = await run([]);
  t.equal(code, 0);
  t.equal(stderr, '');
  t.match(stdout, /Sluice ships the logs of this host/);
  t.match(stdout, /check <file> +tell whether a configuration can be run/);
  t.match(stdout, /Examples:\n(.*\n)* {2}sluice check sluice.yaml {2,}/);
  t.equal(stdout, (await run(['--help'])).stdout);
});

void test('the version is that of the package, with that of Node', async (t) => {
  const { code, stdout } = await run(['--version']);
  t.equal(code, 0);
  t.match(stdout, new RegExp(`^sluice \\d+\\.\\d+\\.\\d+ \\(Node ${process.versions.node}\\)\\n$`));
});

void test('an unknown command or option suggests the nearest one', async (t) => {
  t.match(await run(['chekc', 'x']), { code: 1, stderr: /unknown command 'chekc'\n\(Did you mean check\?\)/ });
  t.match(await run(['config', 'defalt']), { code: 1, stderr: /unknown command 'defalt'\n\(Did you mean default\?\)/ });
  t.match(await run(['check', 'x', '--debgu']), { code: 1, stderr: /unknown option '--debgu'\n\(Did you mean --debug\?\)/ });
  t.match(await run(['check']), { code: 1, stderr: /missing required argument 'file'/ });
});

void test('an error is its message and what to do, without a stack', async (t) => {
  const error = new SluiceError('address_in_use', 'the address is taken', {
    hint: 'choose another',
    cause: new Error('EADDRINUSE'),
  });
  t.same(await run(['fail'], {}, failing(error)), {
    code: 1,
    stdout: '',
    stderr: 'sluice: the address is taken\n  choose another\n',
  });
});

void test('the stack is printed, with its causes, where it is asked for', async (t) => {
  const error = new SluiceError('address_in_use', 'the address is taken', { cause: new Error('EADDRINUSE') });
  const stacks = /^sluice: the address is taken\n\w*Error: the address is taken\n +at [^]*caused by Error: EADDRINUSE\n +at /;
  t.match(await run(['fail', '--debug'], {}, failing(error)), { code: 1, stderr: stacks });
  t.match(await run(['--debug', 'fail'], {}, failing(error)), { code: 1, stderr: stacks });
  t.match(await run(['fail'], { SLUICE_DEBUG: '1' }, failing(error)), { code: 1, stderr: stacks });
});

void test('an error that nobody foresaw says so', async (t) => {
  t.match(await run(['fail'], {}, failing(new TypeError('x is not a function'))), {
    code: 1,
    stderr: /^sluice: an error that was not foreseen: x is not a function\n.*--debug/,
  });
  t.match(await run(['fail'], {}, failing('a text')), { code: 1, stderr: /not foreseen: a text/ });
});
