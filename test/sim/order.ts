/** Whether records of one service and source came in the order in which they were written, on each way that they took. */
import { type Arrival, nameOf } from './findings.ts';

/**
 * `arrivals` are the first arrivals at one destination, in their order. What an agent had sent and not seen acked when it crashed, of a
 * source that gives its records once, may still arrive from its former connections, behind what the next agent sends.
 */
export function disorder(arrivals: Iterable<Arrival>): string[] {
  const last = new Map<string, Arrival>();
  const violations: string[] = [];
  for (const arrival of arrivals) {
    const { written, route } = arrival;
    const key = `${route}/${written.source}/${written.service}`;
    const before = last.get(key);
    if (before === undefined || before.written.index < written.index) last.set(key, arrival);
    else if (!written.isExcused || written.emittedBy === before.written.emittedBy) {
      violations.push(`${nameOf(written)} came to ${route} after ${nameOf(before.written)}`);
    }
  }
  return violations;
}
