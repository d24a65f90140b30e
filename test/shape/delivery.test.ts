import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'tap';
import { CRASH, CRASH_SETTLED, MISSING } from '../../src/telemetry/ledger.ts';
import { ROOT } from './sources.ts';

const DOCUMENT = 'docs/DELIVERY.md';
const text = readText(DOCUMENT);

/** Where the document points to: a path from the top of the repository, and the section there, if one is named. */
const links = [...text.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)].map(([, file = '', section]) => ({
  path: file === '' ? DOCUMENT : join(dirname(DOCUMENT), file),
  section,
}));

function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The names under which the sections of a page can be linked to. */
function sectionsOf(path: string): string[] {
  return [...readText(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

void test('every test, page and section that the promises lean on is there', async (t) => {
  t.ok(links.filter(({ path }) => path.endsWith('.test.ts')).length > 30, 'there are such links at all');
  const isThere = ({ path, section }: (typeof links)[number]): boolean =>
    existsSync(join(ROOT, path)) && (section === undefined || sectionsOf(path).includes(section));
  t.same(
    links.filter((link) => !isThere(link)),
    [],
  );
});

void test('every test of real faults is named by a promise', async (t) => {
  const named = links.map(({ path }) => path);
  for (const file of readdirSync(join(ROOT, 'test/crash')).filter((name) => name.endsWith('.test.ts'))) {
    t.ok(named.includes(`test/crash/${file}`), file);
  }
});

void test('every reason of the ledger is explained', async (t) => {
  for (const reason of [CRASH, CRASH_SETTLED, MISSING]) t.match(text, `\`${reason}\``);
});
