import { test } from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { defineReceiver } from '../core/component.ts';
import type { AnyReceiver } from './agent_config.ts';
import { annotatedConfig, type Selection } from './annotate.ts';
import { parseConfig } from './load.ts';
import type { Registry } from './registry.ts';
import { fakeRegistry } from './testdata/fake_registry.ts';

const MAIN: Selection = { receivers: ['journald', 'pipe'], processors: ['tag', 'rate_limit'], exporters: ['logx'] };
const ALL: Selection = {
  receivers: [...fakeRegistry.receivers.keys()],
  processors: [...fakeRegistry.processors.keys()],
  exporters: [...fakeRegistry.exporters.keys()],
};

/** A registry whose only receiver has these options. */
function registryOf(options: z.ZodType): Registry {
  const receiver: AnyReceiver = defineReceiver<unknown>({
    summary: 'For a test.',
    replayable: false,
    options,
    create: () => {
      throw new Error('not to be created');
    },
  });
  return { ...fakeRegistry, receivers: new Map([['own', receiver]]) };
}

void test('the annotated configuration can be run as it is', async (t) => {
  for (const selection of [MAIN, ALL, { receivers: ['pipe'], processors: [], exporters: ['console'] }]) {
    const text = annotatedConfig(fakeRegistry, selection);
    const config = parseConfig(text, 'default', { registry: fakeRegistry, env: {} });
    t.same(
      config.pipelines[0]?.receivers.map(({ type }) => type),
      selection.receivers,
    );
    t.same(
      config.pipelines[0]?.processors.map(({ type }) => type),
      selection.processors,
    );
  }
});

void test('every option stands at its default', async (t) => {
  const annotated = parseConfig(annotatedConfig(fakeRegistry, MAIN), 'a', { registry: fakeRegistry, env: {} });
  const short = `receivers: { journald: , pipe: { path: /run/sluice/app.pipe } }
processors: { tag: , rate_limit: }
exporters: { logx: { destinations: { log-a: { endpoint: "tcp://127.0.0.1:6514" }, log-b: { endpoint: "tcp://127.0.0.1:6515" } } } }
service: { pipelines: { logs: { receivers: [journald, pipe], processors: [tag, rate_limit], exporters: [logx] } } }
`;
  const defaults = parseConfig(short, 's', { registry: fakeRegistry, env: {} });
  t.equal(JSON.stringify(annotated), JSON.stringify(defaults));
});

void test('an option has its words, type and default above it', async (t) => {
  const text = annotatedConfig(fakeRegistry, MAIN);
  t.match(text, '    # How a line is read. (json, text or auto; default auto)\n    format: auto\n');
  t.match(text, '    # Path of the pipe. (path; required)\n    path: /run/sluice/app.pipe\n');
  t.match(text, '    # Service of records that name none. (string; not set by default)\n    #service: nginx\n');
  t.match(
    text,
    '    # Other limits for some keys. (map; default {})\n    #overrides:\n    #  nginx:\n    #    # Sustained rate.',
  );
});

void test('components that are not used follow commented out, and can be used by removing the first sign', async (t) => {
  const lines = annotatedConfig(fakeRegistry, MAIN).split('\n');
  const start = lines.findIndex((line) => line === '  #cfjs1:');
  const end = lines.indexOf('', start);
  const used = lines.slice(start, end).map((line) => line.replace(/^ {2}#/, '  '));
  t.same(parse(used.join('\n')), { cfjs1: { listen: '127.0.0.1:6514' } });
});

void test('no line of words is longer than a terminal is wide', async (t) => {
  const words = annotatedConfig(fakeRegistry, ALL)
    .split('\n')
    .filter((line) => /^[ #]*# /.test(line));
  t.same(
    words.filter((line) => line.length > 120),
    [],
  );
});

void test('a dollar sign in a default comes back as one', async (t) => {
  const registry = registryOf(z.strictObject({ end: z.string().default('${x}$').describe('Ends a line.') }));
  const text = annotatedConfig(registry, { receivers: ['own'], processors: [], exporters: ['console'] });
  const config = parseConfig(text, 'a', { registry, env: {} });
  t.same(config.receivers[0]?.options, { end: '${x}$' });
});

void test('lists of maps, texts of several lines and options of options are written so that they can be read', async (t) => {
  const rule = z.strictObject({
    field: z.string().describe('Which.'),
    match: z.string().optional().describe('What.'),
  });
  const registry = registryOf(
    z.strictObject({
      rules: z
        .array(rule)
        .default([{ field: 'a' }, { field: 'b', match: 'x: y' }])
        .describe('Rules.'),
      text: z.string().default('two\nlines: #').describe('A text.'),
      tls: z
        .strictObject({
          ca: z
            .string()
            .optional()
            .describe('File.')
            .meta({ examples: ['/etc/ca.pem'] }),
        })
        .optional()
        .describe('TLS.'),
    }),
  );
  const selection = { receivers: ['own'], processors: [], exporters: ['console'] };
  const config = parseConfig(annotatedConfig(registry, selection), 'a', { registry, env: {} });
  t.same(config.receivers[0]?.options, { rules: [{ field: 'a' }, { field: 'b', match: 'x: y' }], text: 'two\nlines: #' });
  t.match(
    annotatedConfig(registry, selection),
    '    # TLS.\n    #tls: {}\n    #  # File. (string; not set by default)\n    #  #ca: /etc/ca.pem\n',
  );
});

void test('a required option without an example is named', async (t) => {
  const registry = registryOf(z.strictObject({ path: z.string().describe('A path.') }));
  t.throws(() => annotatedConfig(registry, ALL), {
    message: 'the option own.path is required and has no example',
    hint: /examples/,
  });
});
