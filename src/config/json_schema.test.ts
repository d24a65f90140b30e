import { test } from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { annotatedConfig } from './annotate.ts';
import { configJsonSchema } from './json_schema.ts';
import { fakeRegistry } from './testdata/fake_registry.ts';
import { GOOD, goodBut } from './testdata/problems.ts';

/** What an editor would say: zod reads JSON Schema too, and so is a second opinion on what was generated. */
const editor = z.fromJSONSchema(structuredClone(configJsonSchema(fakeRegistry)));

function accepts(text: string): boolean {
  return editor.safeParse(parse(text)).success;
}

void test('the schema accepts what the check accepts', async (t) => {
  t.ok(accepts(GOOD));
  t.ok(accepts(annotatedConfig(fakeRegistry, { receivers: ['pipe'], processors: ['tag'], exporters: ['logx'] })));
  t.ok(accepts(goodBut('journald: {}', 'journald:')), 'a component with nothing behind it');
});

void test('the schema refuses what is wrong in one value', async (t) => {
  t.notOk(accepts(goodBut('format: json', 'format: jsn')), 'a word that is none of the known ones');
  t.notOk(accepts(goodBut('    path: /run/sluice/nginx.pipe\n', '')), 'a missing option');
  t.notOk(accepts(goodBut('path: /run', 'pth: /run')), 'an unknown option');
  t.notOk(accepts(goodBut('pipe/nginx:', 'pip/nginx:')), 'an unknown component type');
  t.notOk(accepts(goodBut('pipe/nginx:', 'pipe/a b:')), 'an id that is none');
  t.notOk(accepts(goodBut('records_per_second: 5000\n', 'records_per_second: fast\n')), 'a wrong type');
  t.notOk(accepts(goodBut('address: 127.0.0.1:9476', 'address: 127.0.0.1')), 'an address without a port');
  t.notOk(accepts(`${GOOD}more: 1\n`), 'an unknown section');
});

void test('a reference to the environment may stand for any plain value', async (t) => {
  t.ok(accepts(goodBut('records_per_second: 5000\n', 'records_per_second: ${env:RATE}\n')));
  t.ok(accepts(goodBut('format: json', 'format: "${env:FORMAT}"')));
  t.ok(accepts(goodBut('address: 127.0.0.1:9476', 'address: 127.0.0.1:${env:PORT}')));
});

void test('the schema documents every component and says which draft it follows', async (t) => {
  const schema = configJsonSchema(fakeRegistry);
  t.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
  t.match(schema.properties?.['receivers'], {
    additionalProperties: false,
    patternProperties: {
      '^pipe(/[A-Za-z0-9][A-Za-z0-9._-]{0,63})?$': {
        description: 'Reads lines from a named pipe.',
        properties: { path: { description: 'Path of the pipe.' }, format: { default: 'auto' } },
      },
    },
  });
  t.notMatch(JSON.stringify(schema), /valueType|"range"/, 'what is for the option tables stays out');
});
