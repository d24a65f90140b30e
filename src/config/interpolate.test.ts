import { test } from 'tap';
import { interpolate } from './interpolate.ts';

const env = { DC: 'eu-1', EMPTY: '', TRICKY: '${env:DC} $$ }', PORT: '6514' };

void test('a reference stands for the value of its variable, alone or inside of a text', async (t) => {
  t.match(interpolate('${env:DC}', env), { text: 'eu-1', isReference: true, problems: [] });
  t.match(interpolate('host.${env:DC}:${env:PORT}', env), { text: 'host.eu-1:6514', isReference: false, problems: [] });
  t.match(interpolate('${env:DC}${env:PORT}', env), { text: 'eu-16514', isReference: false });
});

void test('a default is taken where the variable is unset or empty', async (t) => {
  t.equal(interpolate('${env:NONE:-local}', env).text, 'local');
  t.equal(interpolate('${env:EMPTY:-local}', env).text, 'local');
  t.equal(interpolate('${env:DC:-local}', env).text, 'eu-1');
  t.equal(interpolate('${env:NONE:-}', env).text, '');
  t.equal(interpolate('${env:NONE:-tcp://a:1/$x}', env).text, 'tcp://a:1/$x');
});

void test('an empty variable without a default is an empty text, not an error', async (t) => {
  t.same(interpolate('${env:EMPTY}', env), { text: '', isReference: true, problems: [] });
});

void test('an unset variable without a default is a problem that names it', async (t) => {
  const { problems } = interpolate('${env:NONE}/${env:OTHER}', env);
  t.match(problems, [
    { message: 'the environment variable NONE is not set', hint: /\$\{env:NONE:-value\}/ },
    { message: 'the environment variable OTHER is not set' },
  ]);
});

void test('names that every object has are not variables', async (t) => {
  t.match(interpolate('${env:constructor}', env).problems, [{ message: /constructor is not set/ }]);
});

void test('two dollar signs stand for one, and a lone one for itself', async (t) => {
  t.equal(interpolate('$${env:DC}', env).text, '${env:DC}');
  t.equal(interpolate('$$$${env:DC}', env).text, '$${env:DC}');
  t.equal(interpolate('$$${env:DC}', env).text, '$eu-1');
  t.equal(interpolate('cost: $5 or 5$', env).text, 'cost: $5 or 5$');
});

void test('what a variable holds is not looked into again', async (t) => {
  t.equal(interpolate('${env:TRICKY}', env).text, '${env:DC} $$ }');
});

void test('what looks like a reference and is none is a problem that shows the right form', async (t) => {
  for (const source of ['${DC}', '${env:}', '${env:9A}', '${file:/etc/x}', '${env:A-B}', '${env:A:B}', '${}']) {
    t.match(interpolate(source, env).problems, [{ message: `${source} is not a reference`, hint: /write \$\{env:/ }], source);
  }
  t.match(interpolate('${DC}', env).problems[0]?.hint, /\$\{env:DC\}/);
  t.match(interpolate('${env:DC', env).problems, [{ message: '"${" without a closing brace' }]);
});
