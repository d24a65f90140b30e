/** A thread that runs the schedules of the seeds that it is sent, and answers each with its verdict. */
import { parentPort } from 'node:worker_threads';
import { judgeSeed } from './judge_seed.ts';

parentPort?.on('message', (seed: number) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is not a window
  void judgeSeed(seed).then((verdict) => parentPort?.postMessage(verdict));
});
