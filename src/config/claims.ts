/** Paths and addresses that only one component may have. */
import { posix } from 'node:path';
import type { Claim } from '../core/component.ts';
import { formatAddress, parseAddress } from '../kit/options.ts';
import type { Path } from './problem.ts';

/** One claim of the component or section at `path`. */
export interface Claimed {
  readonly path: Path;
  readonly claim: Claim;
}

export interface Conflict {
  readonly first: Claimed;
  readonly second: Claimed;
}

/** Every claim that an earlier one of the list rules out, with that one. */
export function conflictingClaims(claims: readonly Claimed[]): Conflict[] {
  const earlier = new Map<string, Claimed[]>();
  const conflicts: Conflict[] = [];
  for (const second of claims) {
    const bucket = bucketOf(second.claim);
    if (bucket === undefined) continue;
    const others = earlier.get(bucket) ?? [];
    const first = others.find(({ claim }) => overlap(claim, second.claim));
    if (first !== undefined) conflicts.push({ first, second });
    others.push(second);
    earlier.set(bucket, others);
  }
  return conflicts;
}

/** What a claim is about, for people: `the path /run/a.pipe`. */
export function describeClaim(claim: Claim): string {
  const colon = claim.indexOf(':');
  return `the ${claim.slice(0, colon)} ${claim.slice(colon + 1)}`;
}

/** Claims in different buckets never meet; port 0 is a port of the system's choosing, which meets nothing. */
function bucketOf(claim: Claim): string | undefined {
  const address = addressOf(claim);
  if (address === undefined) return posix.normalize(claim);
  return address.port === 0 ? undefined : `port ${address.port}`;
}

function overlap(a: Claim, b: Claim): boolean {
  const one = addressOf(a);
  const other = addressOf(b);
  if (one === undefined || other === undefined) return one === other;
  return isWildcard(one.host) || isWildcard(other.host) || formatAddress(one) === formatAddress(other);
}

/** A socket that listens on every address of the host leaves none for another one on its port. */
function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '*';
}

function addressOf(claim: Claim): ReturnType<typeof parseAddress> {
  return claim.startsWith('address:') ? parseAddress(claim.slice('address:'.length)) : undefined;
}
