import { test } from 'tap';
import { startFlushable, withoutFlushableJournald } from '../testdata/flushable_journald.ts';

for (const isRestarted of [false, true]) {
  const name = `a real journald flushes, goes back and flushes again${isRestarted ? ', and the reader is restarted' : ''}`;
  void test(name, { skip: withoutFlushableJournald }, async (t) => {
    const { journald, reader, write, rotate, flush, entries } = await startFlushable(t);
    // A cursor cannot tell entries of one time apart that say the same, so that after a restart some may be read again.
    const repeats = isRestarted ? 1 : 2;
    const restart = (): void => {
      if (isRestarted) reader.restart();
    };
    await write(50, repeats);
    reader.look(30);
    restart();
    flush();
    await write(50, repeats);
    restart();
    reader.look();
    for (let round = 0; round < 3; round++) {
      journald.relinquish();
      await write(50, repeats);
      reader.look(round * 25);
      await rotate();
      await write(50, repeats);
      restart();
      reader.look(round * 25);
      flush();
      await write(50, repeats);
      restart();
      reader.look();
    }
    reader.look();
    const expected = await entries();
    t.ok(expected.length > 550, `${expected.length} entries`);
    t.same(reader.read.toSorted(), expected.toSorted());
    t.same(reader.lost, {});
  });
}
