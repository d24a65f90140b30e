import { test } from 'tap';
import { options } from '../options.ts';
import type { Criteria } from './criteria.ts';
import { EntrySelection, MAX_CONDITIONS } from './selection.ts';

/** Whether an entry with these fields, each `NAME=value`, is chosen. */
function accepts(include: Criteria | undefined, exclude: Criteria | undefined, ...fields: readonly string[]): boolean {
  const selection = new EntrySelection(include, exclude);
  const bits = fields.map((field) => {
    const [name = '', ...value] = field.split('=');
    return selection.bitsOf(name, Buffer.from(value.join('=')));
  });
  return selection.accepts(bits.reduce((all, one) => all | one, 0));
}

const includes = (criteria: Criteria, ...fields: readonly string[]): boolean => accepts(criteria, undefined, ...fields);
const excludes = (criteria: Criteria, ...fields: readonly string[]): boolean => !accepts(undefined, criteria, ...fields);

void test('without criteria every entry is chosen, and no field need be seen', async (t) => {
  for (const criteria of [undefined, {}]) {
    t.equal(accepts(criteria, criteria, 'MESSAGE=x'), true);
    t.equal(new EntrySelection(criteria, criteria).fields.size, 0);
  }
});

void test('what is included fits each kind, by any of its values', async (t) => {
  const criteria: Criteria = {
    identifiers: ['sshd', 'cron*'],
    priorities: ['err', 'crit'],
    matches: { _TRANSPORT: ['syslog', 'journal'], X: ['1'] },
  };
  const fields = ['SYSLOG_IDENTIFIER=cronie', 'PRIORITY=3', '_TRANSPORT=journal', 'X=1'];
  t.equal(includes(criteria, ...fields), true);
  for (const field of fields)
    t.equal(includes(criteria, ...fields.filter((other) => other !== field)), false, `without ${field}`);
  t.equal(includes(criteria, ...fields.with(1, 'PRIORITY=4')), false);
  t.equal(includes(criteria, ...fields, 'PRIORITY=4', 'X=2'), true, 'of several values of a field one is enough');
});

void test('what is excluded fits one kind', async (t) => {
  const criteria: Criteria = { identifiers: ['sshd'], priorities: ['debug'], matches: { X: ['1', '2'] } };
  for (const field of ['SYSLOG_IDENTIFIER=sshd', 'PRIORITY=7', 'X=2']) t.equal(excludes(criteria, field, 'Y=1'), true, field);
  t.equal(excludes(criteria, 'SYSLOG_IDENTIFIER=sshd2', 'PRIORITY=6', 'X=3'), false);
});

void test('exclusion comes after inclusion', async (t) => {
  const unit = { units: ['web'] };
  const debug: Criteria = { priorities: ['debug'] };
  t.equal(accepts(unit, debug, '_SYSTEMD_UNIT=web.service', 'PRIORITY=6'), true);
  t.equal(accepts(unit, debug, '_SYSTEMD_UNIT=web.service', 'PRIORITY=7'), false);
  t.equal(accepts(unit, debug, '_SYSTEMD_UNIT=db.service', 'PRIORITY=6'), false);
});

const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7];

void test('one priority that is included stands for itself and all that are more urgent, a list for its members', async (t) => {
  const chosen = (priorities: NonNullable<Criteria['priorities']>): number[] =>
    DIGITS.filter((digit) => includes({ priorities }, `PRIORITY=${digit}`));
  t.same(chosen('warning'), [0, 1, 2, 3, 4]);
  t.same(chosen('emerg'), [0]);
  t.same(chosen(['warning', 'debug']), [4, 7]);
  t.equal(includes({ priorities: 'info' }, 'MESSAGE=x'), false, 'an entry without a priority fits none');
  t.equal(includes({ priorities: 'debug' }, 'MESSAGE=x'), true, 'but all of them together');
});

void test('one priority that is excluded stands for itself and all that are less urgent', async (t) => {
  const left = (priorities: NonNullable<Criteria['priorities']>): number[] =>
    DIGITS.filter((digit) => excludes({ priorities }, `PRIORITY=${digit}`));
  t.same(left('debug'), [7]);
  t.same(left('notice'), [5, 6, 7]);
  t.same(left(['warning', 'debug']), [4, 7]);
  t.same(left('emerg'), DIGITS);
  t.equal(excludes({ priorities: 'emerg' }, 'MESSAGE=x'), false, 'an entry without a priority has none of them');
});

void test('priorities are names or numbers', async (t) => {
  const { include } = options.parse({ include: { priorities: 4 } });
  t.equal(include?.priorities, 'warning');
  t.same(options.parse({ exclude: { priorities: [0, 'debug'] } }).exclude?.priorities, ['emerg', 'debug']);
  for (const priorities of [8, -1, 1.5, 'loud', [], ['loud']]) {
    t.match(options.safeParse({ include: { priorities } }).error?.issues[0]?.message, /emerg.*or 0 to 7|at least|expected/i);
  }
});

void test('a unit is what it logs itself, and what those say of it who may', async (t) => {
  const criteria = { units: ['web', 'db.socket'] };
  const chosen: readonly (readonly string[])[] = [
    ['_SYSTEMD_UNIT=web.service'],
    ['_SYSTEMD_UNIT=db.socket'],
    ['UNIT=web.service', '_PID=1'],
    ['OBJECT_SYSTEMD_UNIT=web.service', '_UID=0'],
    ['COREDUMP_UNIT=web.service', '_UID=0', 'MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1'],
  ];
  for (const fields of chosen) t.equal(includes(criteria, ...fields), true, fields.join());
  const notChosen: readonly (readonly string[])[] = [
    ['_SYSTEMD_UNIT=web'],
    ['_SYSTEMD_UNIT=db.service'],
    ['UNIT=web.service', '_PID=2'],
    ['UNIT=web.service', '_UID=0'],
    ['OBJECT_SYSTEMD_UNIT=web.service', '_UID=1000', '_PID=1'],
    ['COREDUMP_UNIT=web.service', '_UID=0'],
    ['_SYSTEMD_USER_UNIT=web.service'],
    ['_SYSTEMD_SLICE=web.service'],
  ];
  for (const fields of notChosen) t.equal(includes(criteria, ...fields), false, fields.join());
  t.equal(includes({ units: ['system.slice'] }, '_SYSTEMD_SLICE=system.slice'), true, 'a slice is all that is in it');
});

void test('a pattern of units is taken as it is, and may end in any type', async (t) => {
  for (const unit of ['app-1.service', 'app-.scope'])
    t.equal(includes({ units: ['app-*'] }, `_SYSTEMD_UNIT=${unit}`), true, unit);
  t.equal(includes({ units: ['app-?'] }, '_SYSTEMD_UNIT=app-1.service'), false);
  t.equal(includes({ units: ['web.1'] }, '_SYSTEMD_UNIT=web.1.service'), true, 'what is no type is part of the name');
});

void test('it names the fields that it must see', async (t) => {
  const selection = new EntrySelection({ units: ['web'], matches: { X: ['1'] } }, { priorities: ['debug'] });
  t.same(
    new Set(selection.fields.keys()),
    new Set(['_SYSTEMD_UNIT', 'UNIT', '_PID', 'OBJECT_SYSTEMD_UNIT', '_UID', 'COREDUMP_UNIT', 'MESSAGE_ID', 'X', 'PRIORITY']),
  );
  t.equal(selection.bitsOf('Y', Buffer.from('1')), 0);
});

function matches(count: number): Record<string, string[]> {
  return Object.fromEntries(Array.from({ length: count }, (_, number) => [`F${number}`, ['x']]));
}

void test('more conditions than there are bits are an error when the options are checked', async (t) => {
  const most = { matches: matches(MAX_CONDITIONS) };
  t.equal(includes(most, ...Object.keys(most.matches).map((name) => `${name}=x`)), true);
  t.equal(
    includes(
      most,
      ...Object.keys(most.matches)
        .map((name) => `${name}=x`)
        .slice(1),
    ),
    false,
  );
  t.equal(options.safeParse({ include: most, exclude: most }).success, true, 'the same condition counts once');
  const tooMany = { matches: matches(MAX_CONDITIONS + 1) };
  t.throws(() => new EntrySelection(tooMany, undefined), { code: 'config_invalid', message: /29 conditions/ });
  t.match(options.safeParse({ exclude: tooMany }).error?.issues, [{ path: ['include'], message: /28 conditions/ }]);
});
