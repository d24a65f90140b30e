import type { Endpoint } from './endpoint.ts';
import { Session, type SessionSetup } from './session.ts';

/**
 * Tries whether an endpoint takes records, without sending any: a connection, a hello, and a receiver that says that its own store
 * takes writes. Says so once, through `done`, unless it is cancelled before.
 */
export class Probe {
  readonly #session: Session;
  #done: ((isReady: boolean) => void) | undefined;

  constructor(endpoint: Endpoint, setup: SessionSetup, done: (isReady: boolean) => void) {
    this.#done = done;
    this.#session = new Session(endpoint, setup, {
      opened: (ready) => this.#finish(ready),
      closed: () => this.#finish(false),
      acked: ignore,
      refused: ignore,
      readiness: ignore,
      goodbye: ignore,
    });
  }

  cancel(): void {
    this.#done = undefined;
    this.#session.close('the probe was cancelled');
  }

  #finish(isReady: boolean): void {
    const done = this.#done;
    this.#done = undefined;
    this.#session.close('the probe is done');
    done?.(isReady);
  }
}

function ignore(): void {}
