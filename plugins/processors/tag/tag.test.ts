import { test } from 'tap';
import { Resource } from '../../../src/core/resource.ts';
import { makeBatch } from '../../../test/helpers/batches.ts';
import { FakeProcessorContext } from '../../../test/helpers/contexts.ts';
import definition from './index.ts';

/** The attributes, in order, that a batch with `resource` has behind a tag processor with these options. */
function tagged(options: Record<string, unknown>, resource = Resource.EMPTY): [string, string][] {
  const processor = definition.create(definition.options.parse(options), new FakeProcessorContext({ hostName: 'web-1' }));
  const batch = makeBatch(['a'], { resource });
  processor.process(batch);
  return Object.entries(batch.resource.attributes);
}

void test('records get the host name of the agent, the data centre and the tags, in that order', async (t) => {
  t.same(tagged({ tags: { zone: 'b', dc_state: 'active' }, datacenter: 'fra1' }), [
    ['host', 'web-1'],
    ['datacenter', 'fra1'],
    ['zone', 'b'],
    ['dc_state', 'active'],
  ]);
});

void test('without options there is the host name and nothing else', async (t) => {
  t.same(tagged({}), [['host', 'web-1']]);
});

void test('a configured host name is used instead of the system one', async (t) => {
  t.same(tagged({ host: 'edge-9' }), [['host', 'edge-9']]);
});

void test('what the first hop said stays, and what it did not say is added', async (t) => {
  const fromAgent = new Resource({ team: 'db', host: 'db-3' });
  t.same(tagged({ datacenter: 'fra1', tags: { team: 'web' } }, fromAgent), [
    ['host', 'db-3'],
    ['datacenter', 'fra1'],
    ['team', 'db'],
  ]);
});

void test('with override the configured values win, and what else the resource has stays', async (t) => {
  const fromAgent = new Resource({ rack: '7', host: 'db-3' });
  t.same(tagged({ override: true }, fromAgent), [
    ['host', 'web-1'],
    ['rack', '7'],
  ]);
});

void test('batches of one resource share one tagged resource, so that encoders can cache by identity', async (t) => {
  const processor = definition.create(definition.options.parse({}), new FakeProcessorContext());
  const resource = new Resource({ unit: 'a' });
  const [first, second, other] = [resource, resource, new Resource({ unit: 'a' })].map((resource) =>
    makeBatch(['x'], { resource }),
  );
  for (const batch of [first, second, other]) if (batch !== undefined) processor.process(batch);
  t.equal(first?.resource, second?.resource);
  t.not(first?.resource, other?.resource);
});

void test('tag names that would collide with a record member or break the line are refused', async (t) => {
  for (const name of [
    'id',
    'message',
    'message_base64',
    'severity',
    'truncated',
    'with space',
    'quo"te',
    'ü',
    '',
    'x'.repeat(129),
  ]) {
    t.equal(definition.options.safeParse({ tags: { [name]: 'v' } }).success, false, name);
  }
  for (const name of ['dc_state', 'k8s.pod-name', '7', 'x'.repeat(128)]) {
    t.equal(definition.options.safeParse({ tags: { [name]: 'v' } }).success, true, name);
  }
});

void test('unknown options and tag values that are not text are refused', async (t) => {
  t.equal(definition.options.safeParse({ tag: {} }).success, false);
  t.equal(definition.options.safeParse({ tags: { port: 8080 } }).success, false);
  t.equal(definition.options.safeParse({ datacenter: '' }).success, false);
});
