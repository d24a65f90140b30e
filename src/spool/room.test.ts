import { test } from 'tap';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { Room } from './room.ts';

function roomOf() {
  const clock = new VirtualClock();
  const state = { used: 0, isWriting: true };
  const room = new Room({ clock, maxMemoryBytes: 100, usedBytes: () => state.used, isWriting: () => state.isWriting });
  return { clock, state, room };
}

void test('receivers that drop pause while the disk makes room, and go on as soon as it has', async (t) => {
  const { clock, state, room } = roomOf();
  t.equal(room.when('drop_oldest'), undefined);
  state.used = 80;
  let isOn = false;
  const pause = room.when('drop_oldest')?.then(() => (isOn = true));
  await clock.run(10);
  t.notOk(isOn);
  state.used = 70;
  room.wake();
  await pause;
  t.equal(clock.pendingTimers, 0);
});

void test('a pause that does not help ends in time, and is not made again at once', async (t) => {
  const { clock, state, room } = roomOf();
  state.used = 90;
  const pause = room.when('drop_newest');
  await clock.run(40);
  await pause;
  t.equal(room.waiting, 0, 'nobody is left to be woken');
  t.equal(room.when('drop_newest'), undefined, 'what comes is dropped where there is no room');
  await clock.run(100);
  t.ok(room.when('drop_newest'));
});

void test('nobody pauses for a disk that is not being written to', async (t) => {
  const { state, room } = roomOf();
  state.used = 100;
  state.isWriting = false;
  t.equal(room.when('drop_oldest'), undefined);
  t.ok(room.when('block'));
});
