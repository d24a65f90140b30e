/** Makes the journals in this folder, and what journalctl exports of them: node plugins/receivers/journald/testdata/make_fixtures.ts */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { writeExport } from './export_format.ts';
import { generate } from './generate.ts';
import { readWithSystemd, writeWithSystemd } from './systemd.ts';

const directory = mkdtempSync(join(tmpdir(), 'journald-'));
for (const [name, isCompact] of [
  ['compact', true],
  ['regular', false],
] as const) {
  const path = join(directory, `${name}.journal`);
  await writeWithSystemd(path, generate(42, 60), { isCompact, isKeyed: isCompact });
  writeFileSync(join(import.meta.dirname, `${name}.journal.zst`), zstdCompressSync(readFileSync(path)));
  const exported: Buffer[] = [];
  for await (const entry of readWithSystemd([path])) exported.push(writeExport(entry));
  writeFileSync(join(import.meta.dirname, `${name}.export.zst`), zstdCompressSync(Buffer.concat(exported)));
}
rmSync(directory, { recursive: true });
