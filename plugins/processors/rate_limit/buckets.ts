import type { Counter } from '../../../src/core/metrics.ts';

/** What a key may send: `ratePerMs` tokens come back each millisecond, at most `burst` are kept, and a record takes one. */
export interface Limit {
  readonly ratePerMs: number;
  readonly burst: number;
}

/** A token bucket, which is a member of a list ordered by last use as well. */
export class Bucket {
  readonly key: string;
  readonly limit: Limit;
  tokens: number;
  /** The turn in which the bucket was last refilled; -1 once it was evicted, so that it never equals a turn again. */
  turn = 0;
  /** Records dropped in the current turn. */
  droppedNow = 0;
  /** Set when the key is first limited, so that keys which never are have no series. */
  dropCounter: Counter | undefined;
  older: Bucket | undefined;
  newer: Bucket | undefined;
  #refilledMs: number;

  constructor(key: string, limit: Limit, nowMs: number) {
    this.key = key;
    this.limit = limit;
    this.tokens = limit.burst;
    this.#refilledMs = nowMs;
  }

  get isEvicted(): boolean {
    return this.turn === -1;
  }

  refill(nowMs: number): void {
    const { ratePerMs, burst } = this.limit;
    this.tokens = Math.min(burst, this.tokens + (nowMs - this.#refilledMs) * ratePerMs);
    this.#refilledMs = nowMs;
  }
}

/** The buckets by key, at most `maxKeys` of them. Finding, adding and evicting take the same time however many there are. */
export class Buckets {
  readonly #maxKeys: number;
  readonly #limitOf: (key: string) => Limit;
  readonly #evicted: Counter;
  readonly #byKey = new Map<string, Bucket>();
  #oldest: Bucket | undefined;
  #newest: Bucket | undefined;

  constructor(maxKeys: number, limitOf: (key: string) => Limit, evicted: Counter) {
    this.#maxKeys = maxKeys;
    this.#limitOf = limitOf;
    this.#evicted = evicted;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** The bucket of `key`, new and full where there was none, in which case the one unused for longest may have been evicted. */
  at(key: string, nowMs: number): Bucket {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.#byKey.size >= this.#maxKeys && this.#oldest !== undefined) this.#evict(this.#oldest);
    const bucket = new Bucket(key, this.#limitOf(key), nowMs);
    this.#byKey.set(key, bucket);
    this.#append(bucket);
    return bucket;
  }

  /** Marks a bucket that is not evicted as the one used last. */
  touch(bucket: Bucket): void {
    if (bucket === this.#newest) return;
    this.#unlink(bucket);
    this.#append(bucket);
  }

  #evict(bucket: Bucket): void {
    this.#unlink(bucket);
    this.#byKey.delete(bucket.key);
    bucket.turn = -1;
    this.#evicted.add();
  }

  #append(bucket: Bucket): void {
    bucket.older = this.#newest;
    bucket.newer = undefined;
    if (this.#newest !== undefined) this.#newest.newer = bucket;
    this.#newest = bucket;
    this.#oldest ??= bucket;
  }

  #unlink(bucket: Bucket): void {
    if (bucket.older === undefined) this.#oldest = bucket.newer;
    else bucket.older.newer = bucket.newer;
    if (bucket.newer === undefined) this.#newest = bucket.older;
    else bucket.newer.older = bucket.older;
    bucket.older = undefined;
    bucket.newer = undefined;
  }
}
