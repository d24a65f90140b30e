/** Journals to be read: entries as services on a host write them, in files that systemd itself wrote. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from './workload.ts';

const REMOTE = ['/usr/lib/systemd/systemd-journal-remote', '/lib/systemd/systemd-journal-remote'];

const SERVICES = 64;
const ENTRIES_A_WRITE = 500;
const BOOT_ID = '0123456789abcdef0123456789abcdef';
const START_MICROS = 1_700_000_000_000_000;
const WORDS = 'request handled status upstream cache connection timeout user session index shard retry queue flush'.split(' ');
const PRIORITIES = [3, 4, 5, 6, 6, 6, 6, 7];

export interface JournalSetup {
  /** Default true. */
  readonly isCompact?: boolean;
  /** Bytes of a further field DUMP that each entry has to itself, which hardly compresses; default none. */
  readonly dumpBytes?: number;
}

/** One entry in so many is of a service `rare`. */
export const RARE = 10_000;

/**
 * Writes `entries` entries of 20 fields (and the trusted ones that journald's own time-stamps are) to `directory`, which systemd
 * spreads over as many files as it takes. Throws where systemd-journal-remote is not installed.
 */
export async function writeJournal(directory: string, entries: number, setup: JournalSetup = {}): Promise<void> {
  const program = REMOTE.find((path) => existsSync(path));
  if (program === undefined) throw new Error('install systemd-journal-remote, which writes the journal to be read');
  const { isCompact = true, dumpBytes = 0 } = setup;
  const env = { ...process.env, SYSTEMD_JOURNAL_COMPACT: isCompact ? '1' : '0' };
  const child = spawn(program, ['--output', join(directory, 'bench.journal'), '-'], { env, stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = once(child, 'close');
  const random = seededRandom(1);
  const dump = dumpBytes > 0 ? randomBytes(4 * dumpBytes).toString('base64') : '';
  for (let first = 0; first < entries; first += ENTRIES_A_WRITE) {
    const count = Math.min(ENTRIES_A_WRITE, entries - first);
    const text = Array.from({ length: count }, (_, index) => {
      const start = Math.floor(random() * (dump.length - dumpBytes));
      const entry = entryText(first + index, random);
      return dumpBytes > 0 ? `DUMP=${first + index} ${dump.slice(start, start + dumpBytes)}\n${entry}` : entry;
    }).join('');
    if (!child.stdin.write(text)) await once(child.stdin, 'drain');
  }
  child.stdin.end();
  const [code]: unknown[] = await ended;
  if (code !== 0) throw new Error(`systemd-journal-remote ended with ${String(code)}`);
}

/** One entry in systemd's Journal Export Format. The service is Zipf distributed, as on a real host. */
function entryText(number: number, random: () => number): string {
  const service = Math.min(SERVICES - 1, Math.floor(SERVICES ** random()) - 1);
  const name = number % RARE === RARE / 2 ? 'rare' : `svc${service}`;
  const words = Array.from({ length: 14 }, () => WORDS[Math.floor(random() * WORDS.length)]);
  const micros = START_MICROS + number * 100;
  return `__REALTIME_TIMESTAMP=${micros}
__MONOTONIC_TIMESTAMP=${1_000_000 + number * 100}
_BOOT_ID=${BOOT_ID}
_TRANSPORT=stdout
_MACHINE_ID=3d1219c7c4c5404aaa1f6d2a48adfda4
_HOSTNAME=web-17
_CAP_EFFECTIVE=0
_UID=${100 + service}
_GID=${100 + service}
_PID=${1000 + service}
_COMM=${name}
_EXE=/usr/bin/${name}
_CMDLINE=/usr/bin/${name} --serve --config /etc/${name}.conf
_SYSTEMD_UNIT=${name}.service
_SYSTEMD_CGROUP=/system.slice/${name}.service
_SYSTEMD_SLICE=system.slice
_SYSTEMD_INVOCATION_ID=${service.toString(16).padStart(32, '0')}
_STREAM_ID=${(service + 4096).toString(16).padStart(32, '0')}
SYSLOG_IDENTIFIER=${name}
SYSLOG_FACILITY=3
PRIORITY=${PRIORITIES[Math.floor(random() * PRIORITIES.length)]}
_SOURCE_REALTIME_TIMESTAMP=${micros - 30}
MESSAGE=${number} ${words.join(' ')}

`;
}
