import { test } from 'tap';
import { GOOD, goodBut, problemsOf } from './testdata/problems.ts';

const PIPELINE = 'receivers: [journald, pipe/nginx], processors: [tag, rate_limit], exporters: [logx]';

void test('the good configuration of these tests is good', async (t) => {
  t.same(problemsOf(GOOD), []);
});

void test('a pipeline that names what is not defined is told the nearest', async (t) => {
  t.same(problemsOf(goodBut('[journald, pipe/nginx]', '[journald, pipe/ngnix]')), [
    '24:35: service.pipelines.logs.receivers[1]: pipe/ngnix is not defined under receivers (did you mean pipe/nginx?)',
  ]);
  t.same(problemsOf(goodBut('[tag, rate_limit]', '[tag, rate_limit, redact]')), [
    '24:78: service.pipelines.logs.processors[2]: redact is not defined under processors (define it under processors, or remove it here)',
  ]);
});

void test('a component that is named in the wrong list is told where it belongs', async (t) => {
  t.same(
    problemsOf(
      goodBut('receivers: [journald, pipe/nginx], processors: [tag,', 'receivers: [journald, pipe/nginx, tag], processors: ['),
    ),
    [
      '24:47: service.pipelines.logs.receivers[2]: tag is not defined under receivers (it is one of the processors: name it there)',
    ],
  );
});

void test('a component that no pipeline uses is an error', async (t) => {
  t.same(problemsOf(goodBut('[tag, rate_limit]', '[tag]')), [
    '11:3: processors.rate_limit: is not used by any pipeline (name it under processors of a pipeline, or remove it)',
  ]);
});

void test('two components cannot have one path', async (t) => {
  const text = goodBut('  pipe/nginx:', '  pipe/other: { path: /run/sluice/nginx.pipe }\n  pipe/nginx:').replace(
    '[journald,',
    '[journald, pipe/other,',
  );
  t.same(problemsOf(text), [
    '4:3: receivers.pipe/nginx: the path /run/sluice/nginx.pipe is taken by receivers.pipe/other (give each of the two its own)',
  ]);
});

/** The good configuration with options of its pipeline. */
function withPipeline(options: string): string {
  return goodBut('exporters: [logx] }', `exporters: [logx], ${options} }`);
}

void test('spools and dead letters need directories of their own', async (t) => {
  t.same(problemsOf(withPipeline('dead_letters: { directory: /var/lib/sluice/spool/logs }')), [
    '24:114: service.pipelines.logs.dead_letters.directory: the path /var/lib/sluice/spool/logs is taken by service.pipelines.logs.spool.disk.directory (give each of the two its own)',
  ]);
  t.match(problemsOf(withPipeline('spool: { disk: { directory: /var/lib/sluice } }')), [/is taken by service\.state_directory/]);
  t.same(problemsOf(withPipeline('spool: { disk: { enabled: false, directory: /var/lib/sluice } }')), [], 'one that is not used');
});

void test('a component cannot have the telemetry address', async (t) => {
  const text = goodBut('  journald: {}', '  journald: {}\n  cfjs1: { listen: "0.0.0.0:9476" }').replace(
    '[journald,',
    '[journald, cfjs1,',
  );
  t.same(problemsOf(text), [
    '27:5: service.telemetry.address: the address 127.0.0.1:9476 is taken by receivers.cfjs1 (give each of the two its own)',
  ]);
});

void test('a receiver feeds one pipeline and an exporter is fed by one', async (t) => {
  const second = 'other: { receivers: [pipe/nginx], processors: [tag], exporters: [logx] }';
  t.same(problemsOf(goodBut(`logs: { ${PIPELINE} }`, `logs: { ${PIPELINE} }\n    ${second}`)), [
    '25:26: service.pipelines.other.receivers[0]: pipe/nginx feeds the pipeline logs already (define another one under receivers, such as pipe/other)',
    '25:70: service.pipelines.other.exporters[0]: logx is fed by the pipeline logs already (define another one under exporters, such as logx/other)',
  ]);
});

void test('nothing is named twice in one list', async (t) => {
  t.same(problemsOf(goodBut('[tag, rate_limit]', '[tag, rate_limit, tag]')), [
    '24:78: service.pipelines.logs.processors[2]: tag is named twice (remove one of the two)',
  ]);
  t.same(problemsOf(goodBut('[logx]', '[logx, logx]')), [
    '24:97: service.pipelines.logs.exporters[1]: logx is named twice (remove one of the two)',
  ]);
});

void test('a pipeline needs receivers and exporters, and the service a pipeline', async (t) => {
  t.match(problemsOf(goodBut('[logx]', '[]')), [/exporters.logx: is not used/, /logs.exporters: needs at least one exporter/]);
  t.match(problemsOf(goodBut('receivers: [journald, pipe/nginx], ', '')), [
    /receivers.journald: is not used/,
    /receivers.pipe\/nginx: is not used/,
    /logs.receivers: is missing/,
  ]);
  t.same(problemsOf(goodBut(`    logs: { ${PIPELINE} }\n`, '')), ['23:3: service.pipelines: needs at least one pipeline']);
  t.match(problemsOf(GOOD.slice(0, GOOD.indexOf('service:\n'))), [/^1:1: service: is missing/]);
});

void test('a pipeline’s name is plain', async (t) => {
  t.match(problemsOf(goodBut('    logs:', '    "a/b":')), [/service.pipelines.a\/b: must be letters, digits/]);
});

void test('destinations of one pipeline have different names', async (t) => {
  const other = '  logx/two: { destinations: { log-b: { endpoint: "tcp://127.0.0.1:7000" } } }\nservice:';
  t.same(problemsOf(goodBut('service:\n', `${other}\n`).replace('[logx]', '[logx, logx/two]')), [
    '25:97: service.pipelines.logs.exporters[1]: logx/two has a destination "log-b", and so has logx (give the destinations of a pipeline different names)',
  ]);
});

void test('a processor may serve several pipelines', async (t) => {
  const text = goodBut('  journald: {}', '  journald: {}\n  pipe/b: { path: /run/b }')
    .replace('service:\n  pipelines:', '  console:\nservice:\n  pipelines:')
    .replace('    logs:', '    other: { receivers: [pipe/b], processors: [tag], exporters: [console] }\n    logs:');
  t.same(problemsOf(text), []);
});
