/** The receivers' exporter for a simulated store, made as simple exporters are: on the loop that they share. */
import {
  defineExporter,
  type Exporter,
  type ExporterContext,
  type ExporterDefinition,
  type Readiness,
} from '../../src/core/component.ts';
import { BackOff } from '../../src/kit/back_off.ts';
import { CursorLoop, onlyCursor } from '../../src/kit/cursor_loop.ts';
import { z } from 'zod';
import type { Incarnation } from './incarnation.ts';
import type { Random } from './random.ts';
import { type Store, unstorable } from './store.ts';

export interface StoreSurroundings {
  readonly store: Store;
  readonly incarnation: Incarnation;
  readonly random: Random;
}

const REFUSAL = { reason: 'refused', detail: 'the store will never take it', attempts: 1 } as const;

export function storeDefinition(surroundings: StoreSurroundings): ExporterDefinition<unknown> {
  return defineExporter({
    summary: 'Puts records into a simulated store.',
    options: z.unknown(),
    create: (_options, context) => createExporter(context, surroundings),
  });
}

function createExporter({ cursors, clock, log }: ExporterContext, { store, incarnation, random }: StoreSurroundings): Exporter {
  const cursor = onlyCursor(cursors);
  const loop = new CursorLoop({
    cursor,
    clock,
    log,
    backOff: new BackOff({ minMs: 100, maxMs: 2000, random: random.next }),
    async write(deliveries) {
      for (const delivery of deliveries) {
        const indexes = unstorable(delivery.batch);
        if (indexes.length > 0) cursor.refused(delivery, indexes, REFUSAL);
      }
      await store.write(
        deliveries.map(({ batch }) => batch),
        incarnation,
      );
      return [];
    },
  });
  return {
    start: () => Promise.resolve(loop.start()),
    stop: (deadlineMs: number): Promise<void> => loop.stop(deadlineMs),
    readiness: (): Readiness => loop.readiness(),
  };
}
