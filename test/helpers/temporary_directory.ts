import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** An empty directory that is removed with the test; its path is short, since that of a socket must be. */
export function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
