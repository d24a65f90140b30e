/** Whether records of one service and source came in the order in which they were written, on each way that they took. */
import { type Arrival, nameOf } from './findings.ts';
import type { Written } from './records.ts';

/**
 * `arrivals` are the first arrivals at one destination, in their order. What an agent had sent, and then does not send again, may still
 * arrive from connections that it has given up, behind what it sends next: what it lost in a crash, and what it has dropped since its
 * spool was full or damaged, which `mayBeDropped` tells.
 */
export function disorder(arrivals: Iterable<Arrival>, mayBeDropped: (written: Written) => boolean): string[] {
  const last = new Map<string, Arrival>();
  const violations: string[] = [];
  for (const arrival of arrivals) {
    const { written, route } = arrival;
    const key = `${route}/${written.source}/${written.service}`;
    const before = last.get(key);
    const isLost = written.isExcused && written.emittedBy !== before?.written.emittedBy;
    if (before === undefined || before.written.index < written.index) last.set(key, arrival);
    else if (!isLost && !mayBeDropped(written))
      violations.push(`${nameOf(written)} came to ${route} after ${nameOf(before.written)}`);
  }
  return violations;
}
