import { readFileSync } from 'node:fs';

/** Id of the boot that the system runs in, 32 hexadecimal digits (random(4)); undefined where the system does not say. */
export function currentBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '');
  } catch {
    return undefined;
  }
}
