/**
 * Makes the fixtures of cat.test.ts: a journal with the edge entries that systemd wrote, and what its journalctl prints of it. Run it where
 * both are installed: `node plugins/receivers/journald/cli/testdata/make_fixtures.ts`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { writeWithSystemd } from '../../testdata/systemd.ts';
import { edgeEntries } from './edge_entries.ts';

const directory = mkdtempSync(join(tmpdir(), 'fixtures-'));
const path = join(directory, 'edge.journal');
await writeWithSystemd(path, edgeEntries());
save('edge.journal', readFileSync(path));
for (const format of ['export', 'json']) {
  const { stdout } = spawnSync('journalctl', ['--file', path, '--all', '--quiet', '--output', format]);
  save(`edge.${format}`, stdout);
}
rmSync(directory, { recursive: true });

function save(name: string, bytes: Buffer): void {
  writeFileSync(join(import.meta.dirname, `${name}.zst`), zstdCompressSync(bytes));
}
