import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { makeBatch } from '../../test/helpers/batches.ts';
import { temporaryDirectory } from '../../test/helpers/temporary_directory.ts';
import { GOOD } from '../config/testdata/problems.ts';
import { nodeFiles } from '../kit/files.ts';
import { SegmentLog } from '../spool/disk/segment_log.ts';
import { openSpoolDirectory } from '../spool/disk/spool_directory.ts';
import { StateFile } from '../spool/disk/state_file.ts';
import { run } from './testdata/run.ts';

const SEGMENT = 'drop_oldest-0000000000000007.segment';

/** A spool with three batches of two receivers, of which log-a has settled one. */
async function makeSpool(t: Test): Promise<string> {
  const directory = join(temporaryDirectory(t), 'logs');
  const lock = await openSpoolDirectory(directory, nodeFiles);
  const events = { damaged: () => {}, cut: () => {} };
  const log = new SegmentLog({ directory, lane: 'drop_oldest', files: nodeFiles, segmentBytes: 1_000_000, events });
  await log.recover(0);
  await log.append([
    { position: 7, batch: makeBatch(['one', 'two'], { receiver: 'pipe/nginx' }) },
    { position: 8, batch: makeBatch(['three'], { receiver: 'unix' }) },
    { position: 9, batch: makeBatch(['four', 'five', 'six'], { receiver: 'pipe/nginx' }) },
  ]);
  await log.sync();
  await log.close();
  await new StateFile({ directory, files: nodeFiles, damaged: () => {} }).save({
    isClean: true,
    id: 'a-spool',
    nextPosition: 10,
    lanes: { drop_oldest: { epoch: 'abcd', nextSequence: 100 } },
    cursors: { 'log-a': { drop_oldest: 8 }, 'log-b': { drop_oldest: 0 } },
  });
  await lock.release();
  return directory;
}

/** Changes the byte in the middle of the first occurrence of a text. */
function damage(directory: string, text: string): void {
  const path = join(directory, SEGMENT);
  const bytes = readFileSync(path);
  const at = bytes.indexOf(text) + 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** What may not change while somebody only looks. */
function snapshot(directory: string): unknown {
  return readdirSync(directory)
    .sort()
    .map((name) => [name, statSync(join(directory, name)).mtimeMs, readFileSync(join(directory, name), 'hex')]);
}

void test('status says what waits on disk, for whom, and changes nothing', async (t) => {
  const directory = await makeSpool(t);
  const before = snapshot(directory);
  const { code, stdout, stderr } = await run(['spool', 'status', '--directory', directory]);
  t.equal(stderr, '');
  t.equal(code, 0);
  const bytes = statSync(join(directory, SEGMENT)).size;
  t.same(stdout.split('\n'), [
    `${directory}: 6 records in 1 segment, ${bytes} bytes`,
    'no agent is using it; it was left in order',
    '',
    'SEGMENT                               POSITIONS  BATCHES  RECORDS  SIZE',
    `${SEGMENT}  7-9              3        6  ${bytes} bytes`,
    '',
    'RECEIVER    LANE         RECORDS',
    'pipe/nginx  drop_oldest        5',
    'unix        drop_oldest        1',
    '',
    'DESTINATION  LANE         SETTLED BELOW  RECORDS WAITING',
    'log-a        drop_oldest              8                4',
    'log-b        drop_oldest              0                6',
    '',
  ]);
  t.same(snapshot(directory), before);
});

void test('status for programs has the same', async (t) => {
  const directory = await makeSpool(t);
  const { stdout } = await run(['spool', 'status', '--directory', directory, '-o', 'json']);
  t.match(JSON.parse(stdout), {
    directory,
    live: false,
    state: { clean: true, next_position: 10 },
    lanes: [
      {
        lane: 'drop_oldest',
        epoch: 'abcd',
        next_sequence: 100,
        cursors: [
          { destination: 'log-a', position: 8, waiting_records: 4 },
          { destination: 'log-b', position: 0, waiting_records: 6 },
        ],
        segments: [
          { name: SEGMENT, frames: 3, first_position: 7, last_position: 9, records: { 'pipe/nginx': 5, unix: 1 }, damage: [] },
        ],
      },
    ],
  });
});

void test('beside an agent, status says so and repair does nothing', async (t) => {
  const directory = await makeSpool(t);
  const lock = await openSpoolDirectory(directory, nodeFiles);
  t.teardown(() => lock.release());
  t.match(await run(['spool', 'status', '--directory', directory]), {
    code: 0,
    stdout: /an agent is using it: all numbers are of this moment/,
  });
  const before = snapshot(directory);
  t.match(await run(['spool', 'repair', '--directory', directory]), { code: 1, stderr: /an agent is using the spool in/ });
  t.same(snapshot(directory), before);
});

void test('check finds damage in the bytes of a record, which status does not look at; repair sets it aside', async (t) => {
  const directory = await makeSpool(t);
  t.match(await run(['spool', 'check', '--directory', directory]), { code: 0, stdout: /6 records/, stderr: '' });
  damage(directory, 'three');
  t.match(await run(['spool', 'status', '--directory', directory]), { code: 0, stdout: /6 records/ });
  const before = snapshot(directory);
  t.match(await run(['spool', 'check', '--directory', directory]), {
    code: 1,
    stdout: /5 records[^]*1 damaged place\n[^]*drop_oldest-0000000000000007.segment: \d+ bytes at \d+ are damaged\n/,
    stderr: /has 1 damaged place\n.*"sluice spool repair"/,
  });
  t.same(snapshot(directory), before);
  t.match(await run(['spool', 'repair', '--directory', directory]), {
    code: 0,
    stdout: /: repaired\n\d+ bytes at \d+ of \S+ are damaged and copied to/,
  });
  const copy = readdirSync(directory).find((name) => name.includes('.damaged-')) ?? '';
  t.match(readFileSync(join(directory, copy), 'latin1'), /^SLFR[^]*tiree/, 'the copy has what was there');
  t.match(await run(['spool', 'check', '--directory', directory]), { code: 0, stdout: /are damaged, and set aside/ });
  t.match(await run(['spool', 'repair', '--directory', directory]), { code: 0, stdout: /nothing to repair/ });
});

void test('the unfinished end of the newest segment is no damage, and repair cuts it off', async (t) => {
  const directory = await makeSpool(t);
  const path = join(directory, SEGMENT);
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, whole.length - 20));
  t.match(await run(['spool', 'check', '--directory', directory]), {
    code: 0,
    stdout: /3 records in [^]*unfinished end of \d+ bytes/,
  });
  t.match(await run(['spool', 'repair', '--directory', directory]), {
    code: 0,
    stdout: /\d+ bytes of an unfinished append were cut off/,
  });
  t.notMatch(await run(['spool', 'check', '--directory', directory]), { stdout: /unfinished/ });
});

void test('a damaged state is told, and moved aside by repair', async (t) => {
  const directory = await makeSpool(t);
  writeFileSync(join(directory, 'state.json'), '{}\n');
  t.match(await run(['spool', 'status', '--directory', directory]), { code: 0, stdout: /its state cannot be understood/ });
  t.match(await run(['spool', 'check', '--directory', directory, '-o', 'json']), { code: 1, stderr: /1 damaged place/ });
  t.match(await run(['spool', 'repair', '--directory', directory]), { code: 0, stdout: /is now in .*state\.json\.damaged/ });
  t.match(await run(['spool', 'check', '--directory', directory]), { code: 0, stdout: /it has no state/ });
});

void test('the configuration says where the spool is', async (t) => {
  const root = temporaryDirectory(t);
  const file = join(root, 'sluice.yaml');
  const directory = await makeSpool(t);
  writeFileSync(file, `${GOOD}  state_directory: ${root}\n`);
  t.match(await run(['spool', 'status', '-c', file]), { code: 1, stderr: /there is no spool in .*spool\/logs\n/ });
  mkdirSync(join(root, 'spool'));
  renameSync(directory, join(root, 'spool/logs'));
  t.match(await run(['spool', 'status', '-c', file]), { code: 0, stdout: /spool\/logs: 6 records/ });
  t.match(await run(['spool', 'status', '-c', file, '--pipeline', 'x']), { code: 1, stderr: /no pipeline x .*\n.*it has logs/ });
});

void test('a directory that is no spool is not called one in order', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'notes.txt'), 'mine');
  for (const command of ['status', 'check', 'repair']) {
    t.match(await run(['spool', command, '--directory', directory]), {
      code: 1,
      stdout: '',
      stderr: /there is no spool in .*\n.*none of its files is of one/,
    });
  }
  t.same(readdirSync(directory), ['notes.txt']);
});

void test('where there is no spool, the commands say what makes one', async (t) => {
  const directory = join(temporaryDirectory(t), 'none');
  for (const command of ['status', 'check', 'repair']) {
    t.match(await run(['spool', command, '--directory', directory]), {
      code: 1,
      stderr: /there is no spool in .*\n.*an agent makes it/,
    });
  }
  t.match(await run(['spool']), { code: 1, stderr: /status.*say what each segment holds/ });
});
