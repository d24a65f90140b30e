import { type Exporter, type ExporterContext, READY, type Readiness } from '../../../src/core/component.ts';
import { dialTcp, type Endpoint } from './endpoint.ts';
import type { LogxOptions } from './index.ts';
import { LineCache } from './line_cache.ts';
import { type Outside, Shipper } from './shipper.ts';

/** One shipper a destination; every other endpoint, in the order of the configuration, is a way around its own. */
export class LogxExporter implements Exporter {
  readonly #shippers: readonly Shipper[];

  constructor(options: LogxOptions, context: ExporterContext, outside: Outside = { dial: dialTcp, random: Math.random }) {
    const endpoints = Object.entries(options.destinations).map(([name, { endpoint, acknowledged }]): Endpoint => ({
      name,
      address: endpoint,
      acknowledged,
    }));
    const cache = new LineCache();
    this.#shippers = context.cursors.map((cursor) => {
      const own = endpoints.find(({ name }) => name === cursor.destination);
      if (own === undefined) throw new Error(`there is no destination ${cursor.destination}`);
      const alternates = endpoints.filter((endpoint) => endpoint !== own);
      return new Shipper({ cursor, own, alternates, cache, options, context, outside });
    });
  }

  start(): Promise<void> {
    for (const shipper of this.#shippers) shipper.start();
    return Promise.resolve();
  }

  async stop(deadlineMs: number): Promise<void> {
    await Promise.all(this.#shippers.map((shipper) => shipper.stop(deadlineMs)));
  }

  readiness(): Readiness {
    const reasons = this.#shippers.map((shipper) => shipper.readiness()).flatMap(({ ready, reason }) => (ready ? [] : [reason]));
    return reasons.length === 0 ? READY : { ready: false, reason: reasons.join('; ') };
  }
}
