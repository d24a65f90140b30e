/** The demo's numbers as one line. */
import type { Figures } from './figures.ts';
import { formatCount } from './numbers.ts';
import { RECEIVERS, type ReceiverName } from './paths.ts';

/** The records that came in within `elapsedMs` make the rate; `previous` is undefined the first time. */
export function statusLine(now: Figures, previous: Figures | undefined, elapsedMs: number): string {
  // An agent that was started anew counts from 0 again.
  const isOngoing = previous !== undefined && now.accepted >= previous.accepted;
  const rate = isOngoing ? Math.round(((now.accepted - previous.accepted) * 1000) / elapsedMs) : 0;
  const parts = [
    `in ${formatCount(now.accepted)} (${formatCount(rate)}/s)`,
    ...RECEIVERS.map((name) => deliveredTo(name, now)),
    `limited ${formatCount(now.limited)}`,
    `waiting ${formatCount(now.waiting)}`,
  ];
  if (now.dropped > 0) parts.push(`dropped ${formatCount(now.dropped)}`);
  return parts.join('   ');
}

function deliveredTo(name: ReceiverName, { delivered }: Figures): string {
  const { direct, diverted } = delivered[name];
  const all = `${name} ${formatCount(direct + diverted)}`;
  return diverted === 0 ? all : `${all} (${formatCount(diverted)} by way of ${otherThan(name)})`;
}

/** The receiver that takes the records of `name` while that one cannot. */
export function otherThan(name: ReceiverName): ReceiverName {
  return name === 'log-a' ? 'log-b' : 'log-a';
}
