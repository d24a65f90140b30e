/** What there is to tell of journalctl: each event logs, counts or both. */
import type { ReceiverContext } from '../../../../src/core/component.ts';

/** Why journalctl is started again. */
export type RestartReason = 'exited' | 'not_started' | 'stalled' | 'not_export';

/** How a run ended, with what is known of it. */
export interface RunEnd {
  readonly reason: RestartReason;
  readonly detail: string;
}

const IN_WORDS: Readonly<Record<RestartReason, string>> = {
  exited: 'journalctl has ended',
  not_started: 'journalctl cannot be started',
  stalled: 'journalctl shows nothing although the journal has new entries',
  not_export: 'journalctl does not write the export format',
};

export class JournalctlEvents {
  readonly #context: ReceiverContext;

  constructor(context: ReceiverContext) {
    this.#context = context;
  }

  ended({ reason, detail }: RunEnd, waitMs: number): void {
    const { log, metrics } = this.#context;
    const help = 'How often journalctl had to be started again, by the reason.';
    metrics.counter('sluice_journald_journalctl_restarts_total', help, { reason }).add();
    log.warn(`${IN_WORDS[reason]}; it is started again behind the last entry that was read`, {
      detail,
      inSeconds: Math.round(waitMs / 1000),
    });
  }

  /** A line of its standard error. The log itself lets no more than a few of these through. */
  said(line: string): void {
    this.#context.log.warn('journalctl says something', { line });
  }

  /** journalctl ends in the middle of the same entry each time. */
  passedOver(cursor: string): void {
    this.#context.log.error('journalctl cannot show an entry, which is left out', { cursor });
  }
}
