import { test } from 'tap';
import { programSources, withoutComments } from './sources.ts';

const MAX_LINES = 300;

/**
 * Ending the process, or listening to what happens to it, takes a decision for the whole program; writing what is left while it ends
 * anyway does not.
 */
const PROCESS_CALL = /\bprocess\s*\.\s*(exit|reallyExit|abort|(on|once|addListener|prependListener)(?!\('exit'))\s*\(/;
const PROCESS_IMPORT = /^\s*import\b[^;]*['"](?:node:)?process['"]/m;
const MAIN = 'src/cli/main.ts';

void test('no file is too long to be read in one go', async (t) => {
  const wrong = programSources()
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path} has ${lines} lines: split it by what its parts do (at most ${MAX_LINES})`);
  t.same(wrong, []);
});

void test('only main.ts ends the process and listens to its signals', async (t) => {
  const wrong = programSources()
    .filter(({ path }) => path !== MAIN)
    .flatMap(({ path, text }) => {
      const code = withoutComments(text);
      const call = PROCESS_CALL.exec(code)?.[0] ?? PROCESS_IMPORT.exec(code)?.[0].trim();
      return call === undefined ? [] : [`${path} has "${call}": throw an error, or use what src/cli/cli.ts offers to commands`];
    });
  t.same(wrong, []);
});

void test('the rule about the process holds for what it names, and not for comments', async (t) => {
  for (const code of [
    'process.exit(1)',
    "process.on('SIGTERM', f)",
    'process\n  .once("SIGINT", f)',
    "import { exit } from 'node:process';",
  ]) {
    t.ok(PROCESS_CALL.test(code) || PROCESS_IMPORT.test(code), code);
  }
  t.notOk(PROCESS_CALL.test("process.once('exit', writeRest)"));
  t.notOk(PROCESS_CALL.test(withoutComments('// process.exit(1)\n/* process.on(x) */ process.exitCode = 1;')));
  t.ok(
    PROCESS_CALL.test(withoutComments("const url = 'http://x'; process.exit(1);")),
    'a text that looks like a comment hides nothing',
  );
});

void test('the sources are found at all', async (t) => {
  const paths = programSources().map(({ path }) => path);
  t.ok(paths.includes(MAIN) && paths.includes('src/core/batch.ts'));
  t.notOk(paths.some((path) => path.endsWith('.test.ts')));
});
