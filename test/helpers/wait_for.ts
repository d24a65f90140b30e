import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** How long to wait before giving up, in milliseconds of real time. Default 5000. */
  readonly deadlineMs?: number;
  /** What is waited for, for the message: `both receivers to have the record`. */
  readonly what: string;
}

const POLL_INTERVAL_MS = 5;

/** Resolves as soon as `condition` is true; rejects when the deadline has passed. For real processes, files and sockets. */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  { deadlineMs = 5000, what }: WaitOptions,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await delay(POLL_INTERVAL_MS);
  }
}

/** What `promise` resolves to; rejects when the deadline has passed before it has settled. */
export async function within<T>(promise: Promise<T>, { deadlineMs = 5000, what }: WaitOptions): Promise<T> {
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(() => expired.reject(new Error(`waited ${deadlineMs} ms in vain for ${what}`)), deadlineMs);
  try {
    return await Promise.race([promise, expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}
