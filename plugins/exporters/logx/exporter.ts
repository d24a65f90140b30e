import { type Exporter, type ExporterContext, READY, type Readiness } from '../../../src/core/component.ts';
import { TlsClient } from '../../../src/kit/tls.ts';
import { clientTls } from '../../../src/kit/tls_options.ts';
import { readBootId } from './boot.ts';
import { dialEndpoint, type Endpoint } from './endpoint.ts';
import { LineCache } from './line_cache.ts';
import { type DestinationOptions, endpointsOf, type LogxOptions } from './options.ts';
import { type Outside, Shipper } from './shipper.ts';

const REAL_OUTSIDE: Outside = { dial: dialEndpoint, random: Math.random, readBoot: () => readBootId() };

/** One shipper a destination; the endpoints of all others, in the order of the configuration, are ways around its own. */
export class LogxExporter implements Exporter {
  readonly #outside: Outside;
  readonly #shippers: readonly Shipper[];
  readonly #tls: readonly TlsClient[];

  constructor(options: LogxOptions, context: ExporterContext, outside = REAL_OUTSIDE) {
    this.#outside = outside;
    const endpoints = Object.entries(options.destinations).flatMap(([name, given]) => makeEndpoints(name, given, context));
    const shared = { endpoints, taking: new Set<Endpoint>(), cache: new LineCache(), options, context, outside };
    this.#tls = [...new Set(endpoints.flatMap(({ tls }) => tls ?? []))];
    this.#shippers = context.cursors.map((cursor) => new Shipper({ cursor, ...shared }));
  }

  /** @throws SluiceError where files of `tls` cannot be used. */
  async start(): Promise<void> {
    for (const client of this.#tls) client.start();
    const boot = this.#outside.readBoot();
    for (const shipper of this.#shippers) shipper.start(boot);
  }

  async stop(deadlineMs: number): Promise<void> {
    await Promise.all(this.#shippers.map((shipper) => shipper.stop(deadlineMs)));
  }

  readiness(): Readiness {
    const reasons = this.#shippers.map((shipper) => shipper.readiness()).flatMap(({ ready, reason }) => (ready ? [] : [reason]));
    return reasons.length === 0 ? READY : { ready: false, reason: reasons.join('; ') };
  }
}

/** Endpoints of one destination; those that are encrypted share what they are encrypted with. */
function makeEndpoints(name: string, given: DestinationOptions, context: ExporterContext): Endpoint[] {
  const { tls, acknowledged } = given;
  const compression = given.compression === 'none' ? undefined : given.compression;
  const all = endpointsOf(given);
  const client = all.some(({ isEncrypted }) => isEncrypted) ? new TlsClient(tls ?? clientTls().parse({}), context) : undefined;
  const common = { name, acknowledged, compression };
  return all.map(({ isEncrypted, ...address }) => ({ ...common, address, tls: isEncrypted ? client : undefined }));
}
