import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { DELIVERED } from '../../../../src/core/ack.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { FakeReceiverContext } from '../../../../test/helpers/contexts.ts';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import definition from '../index.ts';
import { startJournald, withoutJournald } from '../testdata/journald.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

/** Line `first` to `last` of those written before or after the cut. */
function lines(when: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `${when} ${first + index}`);
}

void test(
  'a real journald gives numbers again after a power cut, and all of it is read',
  { skip: withoutJournald },
  async (t) => {
    const root = temporaryDirectory(t);
    const stateDirectory = join(root, 'state');
    mkdirSync(stateDirectory);
    const journald = await startJournald(root, { configuration: ['SyncIntervalSec=10m'] });
    t.teardown(() => journald.stop());
    const { directory } = journald;

    /** What a receiver reads, and delivers, until the line `last`. */
    const readUpTo = async (last: string) => {
      const context = new FakeReceiverContext({ id: 'journald', clock: systemClock, stateDirectory });
      const receiver = definition.create(definition.options.parse({ directory, start_at: 'beginning' }), context);
      t.teardown(() => receiver.stop());
      await receiver.start();
      await waitFor(() => context.bodies.includes(last), { what: `the line ${last}`, deadlineMs: 20_000 });
      await receiver.stop();
      context.settleAll(DELIVERED);
      await receiver.close?.();
      return context.emitted.flatMap(({ batch, records }) =>
        records.map(({ sequence, body }) => ({ number: sequence, id: `${batch.epoch}-${sequence}`, body })),
      );
    };

    await journald.write(lines('before', 1, 10));
    await journald.sync();
    const disk = join(root, 'disk');
    cpSync(directory, disk, { recursive: true });
    await journald.write(lines('before', 11, 30));
    const first = await readUpTo('before 30');

    // What had not come to the disk is gone when the machine is up again.
    await journald.stop('SIGKILL');
    rmSync(directory, { recursive: true });
    cpSync(disk, directory, { recursive: true });
    journald.setBootId('c0'.repeat(16));
    await journald.start();
    await journald.write(lines('after', 1, 40));
    // The entry that now has the number of the one that was read last is there when the receiver looks for that.
    await journald.sync();
    const second = await readUpTo('after 40');

    t.same(
      second.flatMap(({ body }) => (body.startsWith('after') ? [body] : [])),
      lines('after', 1, 40),
    );
    t.notOk(second.some(({ body }) => body.startsWith('before')));
    const taken = new Set(first.map(({ number }) => number));
    t.ok(
      second.some(({ number }) => taken.has(number)),
      'numbers were given again',
    );
    t.equal(new Set([...first, ...second].map(({ id }) => id)).size, first.length + second.length, 'no id was');
  },
);
