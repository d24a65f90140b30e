import { test } from 'tap';
import type { FileSystem } from '../core/files.ts';
import { SimulatedDisk } from '../../test/helpers/simulated_disk.ts';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { LetterEditor } from './editor.ts';
import type { Selection } from './selection.ts';
import { batchOf, type Bench, benchOn, DIRECTORY, idsOn, linesOn, putFile, REFUSAL, seeded } from './testdata/letters.ts';

const INBOX = `${DIRECTORY}/replay`;

interface Stocked extends Bench {
  readonly disk: SimulatedDisk;
  readonly files: FileSystem;
}

/** A store with letters 0 to 5 in three files, the even ones for log-a, refused; the odd ones for log-b, too large. Stopped. */
async function stocked(seed = 1): Promise<Stocked> {
  const disk = new SimulatedDisk({ random: seeded(seed) });
  const files = disk.mount();
  const clock = new VirtualClock();
  let bench: Bench | undefined;
  for (let sequence = 0; sequence < 6; sequence += 2) {
    bench = benchOn(files, { clock });
    await bench.store.start();
    const batch = batchOf([
      { body: 'even', sequence },
      { body: 'odd', sequence: sequence + 1 },
    ]);
    await bench.store.put(batch, [0], 'log-a', REFUSAL);
    await bench.store.put(batch, [1], 'log-b', { ...REFUSAL, reason: 'too_large' });
    await bench.store.stop();
    await clock.run(1000);
  }
  return { ...(bench ?? benchOn(files)), disk, files };
}

async function edit<T>({ files, clock }: Stocked, work: (editor: LetterEditor) => Promise<T>): Promise<T> {
  const begun = LetterEditor.begin({ directory: DIRECTORY, files, clock });
  await clock.run(3000);
  const editor = await begun;
  try {
    return await work(editor);
  } finally {
    await editor.end();
  }
}

const ALL = ['e-0', 'e-1', 'e-2', 'e-3', 'e-4', 'e-5'];
const EVEN = ['e-0', 'e-2', 'e-4'];
const ODD = ['e-1', 'e-3', 'e-5'];

void test('replay moves the chosen letters into the inbox, a file a destination, and leaves the others', async (t) => {
  const bench = await stocked();
  const before = [...linesOn(bench.disk).values()].flat();
  const taken = await edit(bench, (editor) => editor.replay({ ids: ['e-0', 'e-1', 'e-4'] }));
  t.same(taken, {
    letters: new Map([
      ['log-a', 2],
      ['log-b', 1],
    ]),
    unreadable: 0,
  });
  t.same(idsOn(bench.disk), ['e-2', 'e-3', 'e-5']);
  t.same(idsOn(bench.disk, INBOX).sort(), ['e-0', 'e-1', 'e-4']);
  for (const [name, lines] of linesOn(bench.disk, INBOX)) {
    for (const line of lines) t.match(line, `"destination":"${/log-./.exec(name)?.[0]}"`);
  }
  const after = [...linesOn(bench.disk).values(), ...linesOn(bench.disk, INBOX).values()].flat();
  t.same(after.sort(), before.sort(), 'byte for byte');
});

void test('a letter can be chosen by everything that is known of it', async (t) => {
  const cases: [Selection, string[]][] = [
    [{}, ALL],
    [{ reasons: ['refused'] }, EVEN],
    [{ reasons: ['refused', 'too_large'] }, ALL],
    [{ destinations: ['log-b'] }, ODD],
    [{ receivers: ['pipe/app'] }, ALL],
    [{ receivers: ['pipe/other'] }, []],
    [{ ids: ['e-3', 'e-9'] }, ['e-3']],
    [{ sinceMicros: Date.UTC(2026, 10, 20, 7, 0, 1) * 1000 }, ['e-2', 'e-3', 'e-4', 'e-5']],
    [{ untilMicros: Date.UTC(2026, 10, 20, 7, 0, 1) * 1000 }, ['e-0', 'e-1']],
    [{ reasons: ['refused'], ids: ['e-2', 'e-3'] }, ['e-2']],
  ];
  for (const [selection, chosen] of cases) {
    const bench = await stocked();
    await edit(bench, (editor) => editor.purge(selection));
    t.same(
      idsOn(bench.disk),
      ALL.filter((id) => !chosen.includes(id)),
      JSON.stringify(selection),
    );
    t.same(idsOn(bench.disk, INBOX), []);
  }
});

void test('a command that is stopped by a crash, wherever that is, loses no letter, and can be given again', async (t) => {
  let crashes = 0;
  for (let step = 1; step <= 120; step++) {
    const bench = await stocked(step);
    await putFile(bench.files, `${INBOX}/20261120T060000.000000Z.log-a.ndjson`, 'waits\n');
    let steps = 0;
    bench.disk.fault = () => {
      if (++steps === step) bench.disk.crash();
      return undefined;
    };
    const work = edit(bench, (editor) => editor.replay({ destinations: ['log-a'] }));
    const isDone = await Promise.race([work.then(() => true), bench.clock.run(20_000).then(() => false)]);
    bench.disk.fault = () => undefined;
    if (!isDone) crashes += 1;
    const left = new Set([...idsOn(bench.disk), ...idsOn(bench.disk, INBOX)]);
    t.same([...left].sort(), ALL, `after a crash at step ${step}`);

    const again = { ...bench, files: bench.disk.mount() };
    await edit(again, (editor) => editor.replay({ destinations: ['log-a'] }));
    t.same(idsOn(bench.disk), ODD);
    t.same([...new Set(idsOn(bench.disk, INBOX))].sort(), EVEN);
    t.notOk([...bench.disk.contents.keys()].some((path) => path.endsWith('.tmp')));
  }
  t.ok(crashes > 40, `${crashes} crashes`);
});

void test('a full disk is an error that changes nothing but what was done before it', async (t) => {
  const bench = await stocked();
  bench.disk.maxBytes = bench.disk.bytes + 100;
  await t.rejects(
    edit(bench, (editor) => editor.replay({})),
    { code: 'ENOSPC' },
  );
  t.same(idsOn(bench.disk), ALL);
  bench.disk.maxBytes = Infinity;
  await edit(bench, (editor) => editor.replay({}));
  t.same(idsOn(bench.disk, INBOX).sort(), ALL);
});

void test('a running agent closes the file that it writes for a command, and goes on in another', async (t) => {
  const bench = await stocked();
  const agent = benchOn(bench.files, { clock: bench.clock });
  await agent.store.start();
  await agent.store.put(batchOf([{ body: 'x', sequence: 6 }]), [0], 'log-a', REFUSAL);
  const taken = await edit(bench, async (editor) => {
    t.equal(editor.isAgentRunning, true);
    await agent.store.put(batchOf([{ body: 'x', sequence: 7 }]), [0], 'log-a', REFUSAL);
    return editor.purge({ destinations: ['log-a'] });
  });
  t.equal(taken.letters.get('log-a'), 4, 'also what the agent was writing; what comes later is left');
  t.same(idsOn(bench.disk), [...ODD, 'e-7']);
  await bench.clock.run(2000);
  t.equal(agent.store.records, 4, 'the agent knows of it soon');
  t.notOk(bench.disk.contents.has(`${DIRECTORY}/request`));
});

void test('letters that an agent puts while commands work are all kept', async (t) => {
  const bench = await stocked();
  const agent = benchOn(bench.files, { clock: bench.clock });
  await agent.store.start();
  const expected: string[] = [];
  for (let round = 0; round < 20; round++) {
    const puts = [0, 1, 2].map((at) => {
      const sequence = 100 + round * 3 + at;
      expected.push(`e-${sequence}`);
      return agent.store.put(batchOf([{ body: 'x', sequence }]), [0], 'log-c', REFUSAL);
    });
    await edit(bench, (editor) => (round % 2 === 0 ? editor.replay({ ids: [`e-${100 + round}`] }) : editor.purge({ ids: [] })));
    await Promise.all(puts);
  }
  t.same([...idsOn(bench.disk), ...idsOn(bench.disk, INBOX)].sort(), [...ALL, ...expected].sort());
});

void test('an agent that does not answer is an error that has changed nothing', async (t) => {
  const bench = await stocked();
  const agent = benchOn(bench.files);
  await agent.store.start(); // on a clock that stands still
  await agent.store.put(batchOf([{ body: 'x', sequence: 6 }]), [0], 'log-a', REFUSAL);
  const { files, clock } = bench;
  const refused = t.rejects(LetterEditor.begin({ directory: DIRECTORY, files, clock }), {
    code: 'store_unavailable',
    hint: /nothing was changed/,
  });
  await clock.run(11_000);
  await refused;
  t.same(idsOn(bench.disk), [...ALL, 'e-6']);
});

void test('commands take turns', async (t) => {
  const bench = await stocked();
  await edit(bench, async () => {
    await t.rejects(LetterEditor.begin({ directory: DIRECTORY, ...bench }), {
      code: 'path_conflict',
      message: /another command/,
    });
  });
  await edit(bench, (editor) => editor.purge({}));
  t.same(idsOn(bench.disk), []);
});

void test('lines that are no letters stay unless everything is purged', async (t) => {
  const bench = await stocked();
  await putFile(bench.files, `${DIRECTORY}/20261120T080000.000000Z.ndjson`, 'garbage\n{"format":"app","app":{}}\n');
  await edit(bench, (editor) => editor.replay({}));
  await edit(bench, (editor) => editor.purge({ reasons: ['refused'] }));
  t.same([...linesOn(bench.disk).values()], [['garbage', '{"format":"app","app":{}}']]);
  const taken = await edit(bench, (editor) => editor.purge({}));
  t.same(taken, { letters: new Map(), unreadable: 2 });
  t.same([...linesOn(bench.disk)], []);
});

void test('what a crash has left open is mended where no agent runs', async (t) => {
  const bench = await stocked();
  const agent = benchOn(bench.files, { clock: bench.clock });
  await agent.store.start();
  await agent.store.put(batchOf([{ body: 'x', sequence: 6 }]), [0], 'log-a', REFUSAL);
  const again = { ...bench, files: bench.disk.mount() };
  const taken = await edit(again, async (editor) => {
    t.equal(editor.isAgentRunning, false);
    return editor.replay({ ids: ['e-6'] });
  });
  t.equal(taken.letters.get('log-a'), 1);
});

void test('a file that the agent removes for its bounds meanwhile is no error', async (t) => {
  const bench = await stocked();
  bench.disk.fault = (operation, path) => {
    if (operation === 'remove' && path.endsWith('Z.ndjson')) bench.disk.remove(path);
    return undefined;
  };
  await edit(bench, (editor) => editor.purge({}));
  t.same(idsOn(bench.disk), []);
});
