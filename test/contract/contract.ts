/**
 * What a plugin folder adds to be held to the contract: a file `contract.ts` whose default export is one of these, by its kind.
 * See README.md in this folder.
 */
import type { Batch } from '../../src/core/batch.ts';
import type { Exporter, ExporterContext } from '../../src/core/component.ts';
import type { PlainRecord } from '../helpers/batches.ts';

/** Options as they would stand in the configuration file, before they are checked. */
export type RawOptions = Readonly<Record<string, unknown>>;

export interface ProcessorContract {
  /** Sets of options to run with; between them they should make the processor do everything it can, dropping included. */
  readonly optionSets: readonly [RawOptions, ...RawOptions[]];
}

export interface ReceiverContract {
  /** Why the receiver cannot be tried on this machine (it needs a program, or root); undefined where it can. */
  unavailable?(): string | undefined;
  /** Prepares the outside in `directory`, an empty one of its own. Each test opens a source anew. */
  open(directory: string): Promise<ReceiverSource>;
}

/** The outside of a receiver, as a test drives it. It is opened before the receiver starts and closed after it has stopped. */
export interface ReceiverSource {
  /** Options with which the receiver reads this source. */
  readonly options: RawOptions;
  /**
   * Writes a record for each body, in order. Resolves when they have been handed over, not when they have been received. Called
   * when the receiver has started; bodies are short lines of text, different from each other.
   */
  write(bodies: readonly string[]): Promise<void>;
  /**
   * Writes one complete record and the beginning of another, in one piece. Left out where a source has no unfinished records.
   */
  writeUnfinished?(body: string, beginning: string): Promise<void>;
  /**
   * Called when the receiver has been stopped and another, with the same options and state directory, has been started: clients
   * connect again and offer what has not been acked. Only needed where the receiver is replayable and its source does not wait in a file.
   */
  reconnect?(): Promise<void>;
  /** The body that an emitted record was written with. Default: the record's body. */
  readonly bodyOf?: (record: PlainRecord) => string;
  close(): Promise<void>;
}

export interface ExporterContract {
  /** Why the exporter cannot be tried on this machine; undefined where it can. */
  unavailable?(): string | undefined;
  /** Prepares the outside in `directory`, an empty one of its own. Each test opens a sink anew. */
  open(directory: string): Promise<ExporterSink>;
}

/** Where an exporter delivers to, as a test drives it. It is opened before the exporter starts and closed after it has stopped. */
export interface ExporterSink {
  /** Options with which the exporter delivers to this sink. */
  readonly options: RawOptions;
  /** Makes the exporter where options cannot say where it delivers to (the process's own output). Default: the definition's. */
  create?(context: ExporterContext): Exporter;
  /** Bodies of the records that the destination has stored, in the order in which they came; repeated where they came twice. */
  stored(destination: string): Promise<readonly string[]>;
  /**
   * Makes every attempt to store something fail, at every destination, in a way that may pass. Resolves to a function that repairs
   * it. Left out where a sink cannot be made to fail.
   */
  fail?(): Promise<() => Promise<void>>;
  /**
   * Makes a batch of which `refused` records will be refused for good, by every destination, and the others stored. Left out where
   * a sink refuses nothing.
   */
  refusable?(): { readonly batch: Batch; readonly refused: number };
  close(): Promise<void>;
}
