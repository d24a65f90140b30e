/** What the unix receiver logs and counts, beside the lines. */
import type { ReceiverContext } from '../../../src/core/component.ts';
import { describeError } from '../../../src/core/errors.ts';
import type { Log } from '../../../src/core/log.ts';
import type { Counter } from '../../../src/core/metrics.ts';

/** How much is in use of what is bounded. */
interface InUse {
  readonly connections: () => number;
  readonly bufferedBytes: () => number;
}

export class UnixEvents {
  readonly #log: Log;
  readonly #path: string;
  readonly #connected: Counter;
  readonly #refused: Counter;
  readonly #reopened: Counter;
  /** Taken so far, refused ones included. */
  connections = 0;

  constructor({ log, metrics }: ReceiverContext, path: string, { connections, bufferedBytes }: InUse) {
    this.#log = log;
    this.#path = path;
    this.#connected = metrics.counter('sluice_unix_connections_total', 'Connections taken.');
    this.#refused = metrics.counter(
      'sluice_unix_refused_connections_total',
      'Connections closed at once because max_connections were open.',
    );
    this.#reopened = metrics.counter(
      'sluice_unix_reopened_total',
      'Times that the socket was made anew because its path had lost it.',
    );
    metrics.observed('sluice_unix_connections', 'Connections open now.', connections);
    metrics.observed('sluice_unix_buffered_bytes', 'Memory for lines that are not finished.', bufferedBytes);
  }

  connected(): void {
    this.connections += 1;
    this.#connected.add();
  }

  refused(): void {
    this.connections += 1;
    this.#refused.add();
    this.#log.warn('a connection was closed at once because max_connections are open', { path: this.#path });
  }

  acceptFailed(error: Error): void {
    this.#log.error('a connection could not be taken', { path: this.#path, reason: error.message });
  }

  reopened(): void {
    this.#reopened.add();
    this.#log.info('the socket was made anew', { path: this.#path });
  }

  notReopened(error: unknown): void {
    this.#log.error('the socket cannot be made anew, who connects to its path does not reach the agent', {
      path: this.#path,
      reason: describeError(error),
    });
  }
}
