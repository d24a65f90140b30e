import { test } from 'tap';
import type { Figures } from './figures.ts';
import { statusLine } from './status_line.ts';

const quiet: Figures = {
  accepted: 1234,
  delivered: { 'log-a': { direct: 1200, diverted: 0 }, 'log-b': { direct: 1199, diverted: 0 } },
  limited: 34,
  dropped: 0,
  waiting: 1,
};

void test('the line says what came in, where it is and what was left out', async (t) => {
  t.equal(statusLine(quiet, undefined, 0), 'in 1,234 (0/s)   log-a 1,200   log-b 1,199   limited 34   waiting 1');
});

void test('the rate is that of the time between two looks', async (t) => {
  t.match(statusLine({ ...quiet, accepted: 2234 }, quiet, 500), 'in 2,234 (2,000/s)');
  t.match(statusLine({ ...quiet, accepted: 3 }, quiet, 500), 'in 3 (0/s)', 'an agent that was started anew');
});

void test('records that took another way, and records lost, are only mentioned where there are any', async (t) => {
  const diverted = { ...quiet.delivered, 'log-a': { direct: 1000, diverted: 200 } };
  const line = statusLine({ ...quiet, delivered: diverted, dropped: 7 }, undefined, 0);
  t.match(line, 'log-a 1,200 (200 by way of log-b)');
  t.match(line, 'dropped 7');
});
