import type { ReceiverContext } from '../../../src/core/component.ts';
import { SluiceError } from '../../../src/core/errors.ts';
import type { Cfjs1Events } from './events.ts';
import type { FrameMemory } from './frame_memory.ts';
import type { Cfjs1Options } from './index.ts';
import type { SeenRecords } from './seen_records.ts';

/** What both modes of a connection are given. */
export interface ModeParts {
  /** The peer's address, for logs. */
  readonly peer: string;
  readonly options: Cfjs1Options;
  readonly context: ReceiverContext;
  readonly events: Cfjs1Events;
  readonly memory: FrameMemory;
  /** Undefined where copies of records are not told apart. */
  readonly seen: SeenRecords | undefined;
}

/** How a connection goes on after its first line. */
export interface Mode {
  /** Memory taken for what has come only in part, in bytes. */
  readonly heldBytes: number;
  /** Takes what has come. Throws a SluiceError where a peer does not send such a thing; the connection is then refused. */
  take(chunk: Buffer): void;
  /** The peer will send nothing more. May throw as `take` does. */
  end(): void;
  /**
   * What is said before the connection is closed; `refusedBecause` where it is closed for what the peer did. Nothing is taken from
   * then on, and what has come only in part is let go.
   */
  lastWords(refusedBecause: string | undefined): string | Buffer;
}

/** The error of a peer that sends what it must not. */
export function violation(what: string): SluiceError {
  return new SluiceError('protocol_violation', `the peer sent ${what}`);
}
