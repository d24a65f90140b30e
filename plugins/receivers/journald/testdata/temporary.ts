import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory, removed when the test is over. */
export function temporaryDirectory(t: { teardown(run: () => void): unknown }): string {
  const path = mkdtempSync(join(tmpdir(), 'journald-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
