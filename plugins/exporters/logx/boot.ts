/** Which boot of its host the agent belongs to, as its hello says (docs/CFJS1.md, "Hello"). */
import { readFileSync } from 'node:fs';
import { isBootId } from '../../../src/kit/hello.ts';

/** A random UUID that the kernel makes anew at each start (random(4)); in containers it is that of the host. */
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/** Undefined where the system does not say, or says something that is no such name; the hello then goes without it. */
export function readBootId(path = BOOT_ID_FILE): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'latin1').trim();
  } catch {
    return undefined;
  }
  return isBootId(text) ? text : undefined;
}
