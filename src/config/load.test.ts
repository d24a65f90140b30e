import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import { loadConfig, parseConfig } from './load.ts';
import { ConfigError } from './problem.ts';
import { fakeRegistry } from './testdata/fake_registry.ts';
import { GOOD, goodBut, problemsOf } from './testdata/problems.ts';

function parse(text: string, env: Record<string, string> = {}) {
  return parseConfig(text, 'sluice.yaml', { registry: fakeRegistry, env });
}

void test('a good configuration comes out complete, with defaults and resolved names', async (t) => {
  const config = parse(GOOD);
  t.same(
    config.receivers.map(({ id, type, options }) => ({ id, type, options })),
    [
      { id: 'journald', type: 'journald', options: { start_at: 'end', poll: 1000 } },
      {
        id: 'pipe/nginx',
        type: 'pipe',
        options: { path: '/run/sluice/nginx.pipe', format: 'json', service: 'nginx', max_line_bytes: 262144 },
      },
    ],
  );
  t.same(config.service, { hostName: hostname(), stateDirectory: '/var/lib/sluice', shutdownTimeoutMs: 10_000 });
  t.same(config.telemetry, { address: { host: '127.0.0.1', port: 9476 }, maxSeries: 1000, logLevel: 'info' });
  const [logs, ...others] = config.pipelines;
  t.same(others, []);
  t.equal(logs?.name, 'logs');
  t.same(logs?.spool, {
    maxMemoryBytes: 64 * 1024 * 1024,
    disk: { directory: '/var/lib/sluice/spool/logs', maxBytes: 4 * 1024 ** 3 },
    durability: 'overflow',
    commitIntervalMs: 50,
  });
  t.equal(logs?.deadLetters?.directory, '/var/lib/sluice/dead_letters/logs');
  t.equal(logs?.receivers[1], config.receivers[1], 'a pipeline holds the components themselves');
  t.same(
    logs?.processors.map(({ id }) => id),
    ['tag', 'rate_limit'],
    'in the order of the pipeline',
  );
  t.equal(logs?.exporters[0]?.definition, fakeRegistry.exporters.get('logx'));
});

void test('components and sections with nothing behind them have their defaults', async (t) => {
  const config = parse(
    'receivers: {journald: }\nprocessors:\nexporters:\n  console:\nservice:\n  telemetry:\n  pipelines:\n    p:\n      receivers: [journald]\n      exporters: [console]\n      spool:\n',
  );
  t.same(config.receivers[0]?.options, { start_at: 'end', poll: 1000 });
  t.equal(config.telemetry.maxSeries, 1000);
  t.equal(config.pipelines[0]?.spool.maxMemoryBytes, 64 * 1024 * 1024);
});

const hostNamed = (length: number): string => goodBut('  telemetry:', `  host_name: ${'h'.repeat(length)}\n  telemetry:`);

void test('a host name is one that receivers take in a hello', async (t) => {
  t.equal(parse(hostNamed(255)).service.hostName.length, 255);
  t.match(problemsOf(hostNamed(256)), [/service\.host_name: must have at most 255 characters/]);
});

void test('a byte order mark and CRLF line ends change nothing, not even positions', async (t) => {
  const crlf = `\uFEFF${GOOD.replaceAll('\n', '\r\n')}`;
  t.same(JSON.stringify(parse(crlf)), JSON.stringify(parse(GOOD)));
  const bad = goodBut('format: json', 'format: jsn');
  t.same(problemsOf(`\uFEFF${bad.replaceAll('\n', '\r\n')}`), problemsOf(bad));
  t.match(problemsOf(`\uFEFFcolour: 1\n${GOOD}`), [/^1:1: colour: is not a known option/]);
});

void test('every message has line, column, path, what is wrong and what to do', async (t) => {
  t.same(problemsOf(goodBut('format: json', 'format: jsn')), [
    '5:13: receivers.pipe/nginx.format: must be json, text or auto, not "jsn" (did you mean json?)',
  ]);
  t.same(problemsOf(goodBut('    path: /run/sluice/nginx.pipe\n', '')), [
    '3:3: receivers.pipe/nginx.path: is missing (add "path: /run/sluice/app.pipe": Path of the pipe.)',
  ]);
  t.same(problemsOf(goodBut('service: nginx', 'service: 5')), [
    '6:14: receivers.pipe/nginx.service: must be a text, not 5 (write it in quotes: "5")',
  ]);
  t.same(problemsOf(goodBut('records_per_second: 5000\n', 'records_per_second: fast\n')), [
    '13:25: processors.rate_limit.records_per_second: must be a number, not "fast"',
  ]);
  t.same(problemsOf(goodBut('records_per_second: 50000', 'records_per_second: 0')), [
    '15:36: processors.rate_limit.overrides.nginx.records_per_second: must be at least 1',
  ]);
  t.same(problemsOf(goodBut('address: 127.0.0.1:9476', 'address: 127.0.0.1')), [
    '26:14: service.telemetry.address: must be host:port, such as 127.0.0.1:6514 or [::1]:6514',
  ]);
  t.same(problemsOf(goodBut('"tcp://127.0.0.1:6514"', 'udp')), [
    '20:26: exporters.logx.destinations.log-a.endpoint: must begin with tcp://',
  ]);
  t.same(problemsOf(goodBut('tags: { dc_state: active }', 'tags:')), [
    '10:5: processors.tag.tags: must be a map (one "key: value" a line), not empty (give it a value or remove the line)',
  ]);
});

void test('an unknown key names the nearest known one, at any depth', async (t) => {
  t.same(problemsOf(goodBut('path: /run', 'pth: /run')), [
    '4:5: receivers.pipe/nginx.pth: is not a known option (did you mean path?)',
  ]);
  t.same(problemsOf(goodBut('burst: 100000', 'brust: 100000')), [
    '15:43: processors.rate_limit.overrides.nginx.brust: is not a known option (did you mean burst?)',
  ]);
  t.same(problemsOf(`${GOOD}servise: {}\n`), ['27:1: servise: is not a known option (did you mean service?)']);
  t.same(problemsOf(goodBut('telemetry:', 'telemetri:')), [
    '25:3: service.telemetri: is not a known option (did you mean telemetry?)',
  ]);
});

void test('an unknown key that is like none lists what is known', async (t) => {
  t.same(problemsOf(goodBut('mode: replicate', 'colour: red')), [
    '18:5: exporters.logx.colour: is not a known option (known here: mode, destinations, retry)',
  ]);
});

/** The good configuration with options of its pipeline's spool. */
function withSpool(options: string): string {
  return goodBut('exporters: [logx] }', `exporters: [logx], spool: { ${options} } }`);
}

void test('an unknown key that is known one level deeper names its place', async (t) => {
  t.same(problemsOf(withSpool('max_bytes: 64MiB')), [
    '24:107: service.pipelines.logs.spool.max_bytes: is not a known option (did you mean memory.max_bytes or disk.max_bytes?)',
  ]);
  t.same(problemsOf(withSpool('directory: /var/spool')), [
    '24:107: service.pipelines.logs.spool.directory: is not a known option (did you mean disk.directory?)',
  ]);
});

void test('what has nothing behind it has every option at its default', async (t) => {
  t.same(problemsOf(goodBut('exporters: [logx] }', 'exporters: [logx], spool: { memory:, disk: }, dead_letters: }')), []);
});

void test('records cannot always be on disk where there is none', async (t) => {
  t.same(problemsOf(withSpool('durability: always, disk: { enabled: true }')), []);
  t.match(problemsOf(withSpool('durability: always, disk: { enabled: false }')), [
    /^24:\d+: service\.pipelines\.logs\.spool\.durability: .*disk\.enabled is false/,
  ]);
});

void test('an unknown component type names the nearest', async (t) => {
  const text = goodBut('journald: {}', 'journal: {}').replace('[journald,', '[journal,');
  t.same(problemsOf(text), ['2:3: receivers.journal: there is no receiver of the type journal (did you mean journald?)']);
});

void test('an id must be a type or a type with a plain name', async (t) => {
  for (const id of ['pipe/', 'pipe/a b', 'pipe/../x', 'pipe/a/b', `pipe/${'x'.repeat(65)}`]) {
    const problems = problemsOf(goodBut('journald: {}', `journald: {}\n  "${id}": {path: /run/other}`));
    t.match(problems, [/: is not a component id \(write type or type\/name/], id);
    t.equal(problems.length, 1);
  }
});

void test('all errors are told at once, in the order of the file', async (t) => {
  const text = goodBut('format: json', 'format: jsn')
    .replace('datacenter: eu-1', 'datacenter: ${env:DC}')
    .replace('mode: replicate', 'mood: replicate')
    .replace('address: 127.0.0.1:9476', 'max_series: 0')
    .replace('receivers: [journald,', 'receivers: [journal,');
  t.same(
    problemsOf(text).map((problem) => problem.split(' (')[0]),
    [
      '5:13: receivers.pipe/nginx.format: must be json, text or auto, not "jsn"',
      '9:17: processors.tag.datacenter: the environment variable DC is not set',
      '18:5: exporters.logx.mood: is not a known option',
      '24:25: service.pipelines.logs.receivers[0]: journal is not defined under receivers',
      '26:17: service.telemetry.max_series: must be at least 1',
    ],
  );
});

void test('a value that could not be read is not complained about a second time', async (t) => {
  t.same(problemsOf(goodBut('path: /run/sluice/nginx.pipe', 'path: ${env:PIPE}')), [
    '4:11: receivers.pipe/nginx.path: the environment variable PIPE is not set (set it, or give a default: ${env:PIPE:-value})',
  ]);
});

void test('a wrong shape is told where it is', async (t) => {
  t.match(problemsOf('[]\n'), [/^1:1: the configuration must be a map with receivers/]);
  t.match(problemsOf('5\n'), [/^1:1: the configuration must be a map/]);
  t.match(problemsOf(goodBut('journald: {}', 'journald: []')), [/^2:13: receivers.journald: must be a map .*, not a list/]);
  t.match(problemsOf(goodBut('[tag, rate_limit]', 'tag')), [
    /^8:3: processors.tag: is not used/,
    /^11:3: processors.rate_limit: is not used/,
    /^24:60: service.pipelines.logs.processors: must be a list, not "tag" \(write \[a, b\]/,
  ]);
});

void test('an empty file points to the configuration to start from', async (t) => {
  for (const text of ['', '\n\n', '# only a comment\n', '---\n', 'null\n']) {
    t.match(problemsOf(text), [/^1:1: the configuration is empty \("sluice config default"/], JSON.stringify(text));
  }
});

void test('a variable alone is a number or a boolean where the option is one, and a text where it is one', async (t) => {
  const text = goodBut(
    'burst: 100000',
    'burst: 100000 }\n      other:\n        records_per_second: ${env:RATE}\n        burst: ${env:BURST:-7}\n      last: { records_per_second: 1',
  )
    .replace('datacenter: eu-1', 'datacenter: ${env:DC}')
    .replace('{ dc_state: active }', '\n      floor: ${env:FLOOR}\n      quoted: "${env:FLOOR}"\n      mixed: f${env:FLOOR}')
    .replace('mode: replicate', 'retry: { jitter: true }');
  const config = parse(text, { RATE: '2.5', DC: '007', FLOOR: 'true' });
  t.match(config.processors[1]?.options, { overrides: { other: { records_per_second: 2.5, burst: 7 } } });
  t.same(config.processors[0]?.options, {
    datacenter: '007',
    tags: { floor: 'true', quoted: 'true', mixed: 'ftrue' },
  });
});

void test('a quoted reference is a text, as anything in quotes is', async (t) => {
  t.match(problemsOf(goodBut('records_per_second: 5000', 'records_per_second: "${env:N}"'), { N: '5' }), [
    /^13:25: processors.rate_limit.records_per_second: must be a number, not "5"/,
  ]);
});

void test('whatever a variable holds, it becomes one text and never structure', async (t) => {
  const hostile = [
    'a: b',
    '{a: 1}',
    '[1]',
    '"',
    '# x',
    '*x',
    '&x y',
    '!!map',
    '- 1',
    'x\nexporters: {}',
    '~',
    'null',
    '<<',
    '${env:HOME}',
  ];
  for (const value of hostile) {
    const config = parse(goodBut('datacenter: eu-1', 'datacenter: ${env:DC}'), { DC: value });
    t.match(config.processors[0]?.options, { datacenter: value }, JSON.stringify(value));
  }
});

void test('a reference in a flow map needs quotes, and the message says so', async (t) => {
  t.match(problemsOf(goodBut('{ dc_state: active }', '{ dc_state: ${env:X} }'), { X: 'a' }), [
    /^10:\d+: a reference such as \$\{env:NAME\} cannot stand here without quotes/,
  ]);
  t.same(problemsOf(goodBut('{ dc_state: active }', '{ dc_state: "${env:X}" }'), { X: 'a' }), []);
});

void test('keys are not interpolated, and the message says so', async (t) => {
  t.match(problemsOf(goodBut('{ dc_state: active }', '{ "${env:X}": active }'), { X: 'a' }), [
    /^10:13: processors.tag.tags."\$\{env:X\}": cannot be used as a key .*in values only/,
  ]);
});

/** Pieces that mean something in YAML or here. */
const PIECES = [
  ' ',
  '\n',
  '\t',
  ':',
  '- ',
  '{',
  '}',
  '[',
  ']',
  '"',
  '#',
  '&a ',
  '*a',
  '!x ',
  '${',
  '${env:A}',
  '$',
  '|',
  '>',
  '~',
  '0',
  'é',
  '\u0000',
  '<<: ',
];

void test('whatever the text, the outcome is a configuration or a list of its problems, each with a place in it', async () => {
  const cut = fc.nat({ max: GOOD.length });
  const edit = fc.tuple(cut, fc.nat({ max: 12 }), fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 4 })));
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const text = edits.reduce((text, [at, length, piece]) => text.slice(0, at) + piece + text.slice(at + length), GOOD);
      try {
        parse(text, { A: 'x: y' });
        return true;
      } catch (thrown) {
        if (!(thrown instanceof ConfigError)) throw thrown;
        const lines = text.split('\n').length;
        return (
          thrown.problems.length > 0 && thrown.problems.every(({ line, column }) => line >= 1 && line <= lines && column >= 1)
        );
      }
    }),
    { numRuns: 500 },
  );
});

void test('a file is read from disk', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'sluice.yaml');
  const context = { registry: fakeRegistry, env: {} };
  await writeFile(file, GOOD);
  t.equal((await loadConfig(file, context)).receivers.length, 2);
  await writeFile(file, 'receiver: {}\n');
  await t.rejects(loadConfig(file, context), { name: 'ConfigError', code: 'config_invalid', file });
  await writeFile(file, Buffer.from([0x61, 0xff, 0xfe]));
  await t.rejects(loadConfig(file, context), { code: 'config_invalid', message: /is not UTF-8 text/ });
  await t.rejects(loadConfig(join(directory, 'none.yaml'), context), {
    code: 'path_missing',
    message: /cannot read the configuration .*none.yaml: there is no such file/,
    hint: /sluice config default/,
  });
  await t.rejects(loadConfig(directory, context), { code: 'config_invalid', message: /it is a directory/ });
});
