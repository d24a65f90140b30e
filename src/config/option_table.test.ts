import { test } from 'tap';
import type { AnyDefinition } from './agent_config.ts';
import { optionTable, TABLE_END, TABLE_START, withOptionTable } from './option_table.ts';
import { fakeRegistry } from './testdata/fake_registry.ts';

function definition(section: 'receivers' | 'processors' | 'exporters', type: string): AnyDefinition {
  const found = fakeRegistry[section].get(type);
  if (found === undefined) throw new Error(`no ${type} in the test registry`);
  return found;
}

void test('the table has a row an option, nested ones with dots', async (t) => {
  t.equal(
    optionTable(definition('exporters', 'logx')),
    `<!-- prettier-ignore -->
| Option | Type | Default | Description |
| --- | --- | --- | --- |
| \`mode\` | replicate or failover | \`replicate\` | Who gets which records. |
| \`destinations\` | map | _required_ | Receivers by name. |
| \`destinations.<name>.endpoint\` | string | _required_ | Where it listens. |
| \`destinations.<name>.protocol\` | cfjs1 or lines | \`cfjs1\` | How records are written. |
| \`retry\` | map |  | Waiting between attempts. |
| \`retry.initial\` | duration | \`100ms\` | First wait. |
| \`retry.jitter\` | boolean | \`true\` | Spread. |`,
  );
});

void test('what would end a cell is escaped', async (t) => {
  t.match(optionTable(definition('receivers', 'pipe')), '| Longest line \\| in bytes. |');
});

void test('a component without options says so', async (t) => {
  t.equal(optionTable(definition('exporters', 'console')), 'This component has no options.');
});

void test('only what is between the markers of a README is replaced', async (t) => {
  const console = definition('exporters', 'console');
  const written = withOptionTable(`# a\n\n${TABLE_START}\nold\n${TABLE_END}\n\nrest\n`, console, 'README.md');
  t.equal(written, `# a\n\n${TABLE_START}\n\nThis component has no options.\n\n${TABLE_END}\n\nrest\n`);
  t.equal(withOptionTable(written, console, 'README.md'), written, 'a second time changes nothing');
});

void test('a README without the two markers is named', async (t) => {
  for (const readme of [
    '# a\n',
    `${TABLE_START}\n`,
    `${TABLE_END}\n${TABLE_START}\n`,
    `${TABLE_START}${TABLE_START}${TABLE_END}`,
  ]) {
    t.throws(() => withOptionTable(readme, definition('exporters', 'console'), 'x/README.md'), {
      message: /^x\/README.md does not/,
    });
  }
});
