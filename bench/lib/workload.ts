/** The work that is measured: JSON lines of 240 bytes, newline included, of 64 services whose shares follow Zipf's law. */

export const LINE_BYTES = 240;
export const SERVICES = 64;

/** Cumulative share of each service, most frequent first. */
const CUMULATIVE: readonly number[] = (() => {
  const weights = Array.from({ length: SERVICES }, (_, rank) => 1 / (rank + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return weights.map((weight) => (sum += weight / total));
})();

/** A small, seeded generator (mulberry32), so that each run sees the same lines. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` lines in one buffer. */
export function jsonLines(count: number, seed = 1): Buffer {
  const random = seededRandom(seed);
  return Buffer.concat(Array.from({ length: count }, (_, index) => jsonLine(index, random)));
}

function jsonLine(index: number, random: () => number): Buffer {
  const draw = random();
  const rank = CUMULATIVE.findIndex((share) => draw < share);
  const line = {
    ts: new Date(1_795_158_000_000 + index).toISOString(),
    level: random() < 0.9 ? 'info' : 'warn',
    service: `service-${String(rank).padStart(2, '0')}`,
    message: `GET /api/v1/items/${Math.floor(random() * 1e6)} completed`,
    status: 200,
    duration_ms: Math.floor(random() * 1e4) / 100,
    request: Math.floor(random() * 2 ** 32).toString(16),
    path: '',
  };
  const missing = LINE_BYTES - 1 - JSON.stringify(line).length;
  if (missing < 0) throw new Error('the line is too long');
  line.path = `/${'abcdefghij'.repeat(20).slice(0, missing - 1)}`;
  return Buffer.from(`${JSON.stringify(line)}\n`);
}
