import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { readMemory, writeMemory } from './memory.ts';

void test('what is remembered is read again, and what is not ours is as good as nothing', async (t) => {
  const directory = t.testdir();
  const file = join(directory, '.demo.json');
  t.same(readMemory(file), { written: {}, ports: undefined, pids: [] });
  const memory = { written: { 'log-a': 'abc' }, pids: [12, 13] };
  writeMemory(file, memory);
  t.same(readMemory(file), memory);
  writeFileSync(file, '{"pids":["; rm -rf /"]}');
  t.same(readMemory(file), { written: {}, ports: undefined, pids: [] });
});
