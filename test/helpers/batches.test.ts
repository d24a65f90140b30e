import { test } from 'tap';
import { RecordFlag } from '../../src/core/batch.ts';
import { makeBatch, readBatch } from './batches.ts';

void test('what is put into a batch is read back from it', async (t) => {
  const batch = makeBatch(
    [
      'plain',
      {
        body: '{"a":1}',
        kind: 'json',
        service: 'nginx',
        severity: 13,
        time: 1_700_000_000_000_001,
        sequence: 9,
        fields: '"pid":7',
        flags: RecordFlag.truncated,
      },
      { body: Uint8Array.of(0xff, 0x00), kind: 'binary', flags: RecordFlag.partial },
    ],
    { receiver: 'pipe/nginx', format: 'web' },
  );
  const rest = { severity: 0, time: 0, service: '', fields: '', truncated: false, partial: false };
  t.same(readBatch(batch), [
    { ...rest, body: 'plain', kind: 'text', sequence: 0 },
    {
      body: '{"a":1}',
      kind: 'json',
      service: 'nginx',
      severity: 13,
      time: 1_700_000_000_000_001,
      sequence: 9,
      fields: '"pid":7',
      truncated: true,
      partial: false,
    },
    { ...rest, body: 'ff00', kind: 'binary', sequence: 2, partial: true },
  ]);
  t.equal(batch.receiver, 'pipe/nginx');
  t.equal(batch.format, 'web');
});

void test('records moved and truncated away are not read back', async (t) => {
  const batch = makeBatch(['a', 'b', 'c']);
  batch.move(2, 0);
  batch.truncate(1);
  t.same(
    readBatch(batch).map(({ body }) => body),
    ['c'],
  );
});
