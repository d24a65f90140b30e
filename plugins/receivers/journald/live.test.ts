import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { DELIVERED } from '../../../src/core/ack.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { FakeReceiverContext } from '../../../test/helpers/contexts.ts';
import { waitFor } from '../../../test/helpers/wait_for.ts';
import definition from './index.ts';
import { startJournald, withoutJournald } from './testdata/journald.ts';
import { temporaryDirectory } from './testdata/temporary.ts';

const ROUNDS = 12;
const LINES_A_ROUND = 500;

void test('a real journald is followed through rotations and restarts of the reader', { skip: withoutJournald }, async (t) => {
  const root = temporaryDirectory(t);
  const stateDirectory = join(root, 'state');
  mkdirSync(stateDirectory);
  const journald = await startJournald(root);
  t.teardown(() => journald.stop());
  const read = new Map<string, string>();
  let offered = 0;

  const start = async () => {
    const context = new FakeReceiverContext({ id: 'journald', clock: systemClock, stateDirectory });
    const options = { directory: journald.directory, start_at: 'beginning', commit_interval: '100ms' };
    const receiver = definition.create(definition.options.parse(options), context);
    await receiver.start();
    return { context, receiver };
  };
  let running = await start();
  t.teardown(() => running.receiver.stop());
  const collect = (): void => {
    for (const { batch, records } of running.context.emitted) {
      for (const { sequence, body } of records) {
        const id = `${batch.epoch}-${sequence}`;
        if (read.get(id) !== undefined && read.get(id) !== body) t.fail(`${id} is two entries`);
        read.set(id, body);
        offered += 1;
      }
    }
  };

  for (let round = 0; round < ROUNDS; round++) {
    const lines = Array.from({ length: LINES_A_ROUND }, (_, number) => `line ${round * LINES_A_ROUND + number}`);
    await journald.write(lines.slice(0, LINES_A_ROUND / 2));
    journald.rotate();
    await journald.write(lines.slice(LINES_A_ROUND / 2));
    if (round % 3 < 2) continue;
    await waitFor(() => running.context.emitted.length > 1, { what: 'batches of these rounds' });
    const { context, receiver } = running;
    for (const { batch } of context.emitted.slice(0, -1)) batch.settle(DELIVERED);
    await receiver.stop();
    collect();
    context.settleAll({ kind: 'failed', reason: 'shutdown' });
    await receiver.close?.();
    running = await start();
  }
  const last = `line ${ROUNDS * LINES_A_ROUND - 1}`;
  await waitFor(() => running.context.emitted.some(({ records }) => records.some(({ body }) => body === last)), {
    what: 'the last line',
    deadlineMs: 20_000,
  });
  await running.receiver.stop();
  collect();

  const found = [...read.values()].filter((body) => body.startsWith('line '));
  const expected = Array.from({ length: ROUNDS * LINES_A_ROUND }, (_, number) => `line ${number}`);
  t.same(found.length, expected.length, 'each line under one id');
  t.same(found, expected, 'in order');
  t.ok(offered > read.size, `${offered - read.size} records that were not delivered were offered again`);
  t.match(running.context.records.at(-1), { service: 'sluice-test', severity: 9, fields: /"transport":"stdout"/ });
});
