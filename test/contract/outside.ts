import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What a component could have touched: files below some directories, open descriptors, and what keeps the process alive. */
export function lookOutside(directories: readonly string[]): readonly string[] {
  const descriptors = readdirSync('/proc/self/fd').length;
  return [...directories.flatMap(listFiles), `${descriptors} descriptors`, ...process.getActiveResourcesInfo().sort()];
}

function listFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => {
      const { size, mtimeMs } = statSync(join(directory, name));
      return `${join(directory, name)}, ${size} bytes, changed at ${mtimeMs}`;
    })
    .sort();
}
