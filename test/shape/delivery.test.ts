import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'tap';
import { CRASH, CRASH_SETTLED, MISSING } from '../../src/telemetry/ledger.ts';
import { ROOT } from './sources.ts';

const DOCUMENT = 'docs/DELIVERY.md';
const text = readFileSync(join(ROOT, DOCUMENT), 'utf8');
const links = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => join(dirname(DOCUMENT), target));

void test('every test and page that the delivery promises lean on is there', async (t) => {
  t.ok(links.filter((path) => path.endsWith('.test.ts')).length > 30, 'there are such links at all');
  t.same(
    links.filter((path) => !existsSync(join(ROOT, path))),
    [],
  );
});

void test('every real-fault test is named by a delivery promise', async (t) => {
  for (const name of ['agent', 'receivers', 'full_disk', 'writer']) t.ok(links.includes(`test/crash/${name}.test.ts`), name);
});

void test('each section that the delivery promises refer to is there', async (t) => {
  const anchors = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
  t.not(anchors.length, 0);
  t.same(
    anchors.filter((anchor) => !headings.includes(anchor)),
    [],
  );
});

void test('every reason of the ledger is explained', async (t) => {
  for (const reason of [CRASH, CRASH_SETTLED, MISSING]) t.match(text, `\`${reason}\``);
});
