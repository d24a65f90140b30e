import fc from 'fast-check';
import { test } from 'tap';
import { AckQueue } from './ack_queue.ts';

void test('nothing is acked while the oldest batch has not settled', (t) => {
  const queue = new AckQueue();
  const [first, second, third] = [queue.add(3), queue.add(5), queue.add(8)];
  t.equal(queue.settle(second), undefined);
  t.equal(queue.settle(first), 5);
  t.equal(queue.settle(third), 8);
  t.end();
});

void test('in whatever order batches settle, acks grow, go over settled batches only, and end at the last one', (t) => {
  const order = fc
    .integer({ min: 1, max: 30 })
    .chain((count) => fc.shuffledSubarray([...Array(count).keys()], { minLength: count, maxLength: count }));
  fc.assert(
    fc.property(order, (ids) => {
      const queue = new AckQueue();
      const batches = [...ids].sort((a, b) => a - b).map((id) => queue.add(id));
      const settled = new Set<number>();
      let acked = -1;
      for (const id of ids) {
        settled.add(id);
        const ack = queue.settle(batches[id]!); // ids are the indexes
        if (ack === undefined) continue;
        if (ack <= acked) throw new Error(`ack ${ack} after ${acked}`);
        for (let each = 0; each <= ack; each++) if (!settled.has(each)) throw new Error(`ack ${ack} before ${each} settled`);
        acked = ack;
      }
      return acked === ids.length - 1;
    }),
  );
  t.end();
});
