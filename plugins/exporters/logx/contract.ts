import { createServer, type Server } from 'node:net';
import type { ExporterContract } from '../../../test/contract/contract.ts';
import { makeBatch } from '../../../test/helpers/batches.ts';
import { FakeReceiver, markOf, messageOf } from './testdata/fake_receiver.ts';

/** Two receivers that store in memory, and refuse for good every record whose message is empty. */
const contract: ExporterContract = {
  async open() {
    // A record that went round while its own receiver was away counts for the destination that it is marked with.
    const stored: { readonly destination: string; readonly body: string }[] = [];
    const sites = ['log-a', 'log-b'].map((name) => {
      return new Site(name, (line) => stored.push({ destination: markOf(line) ?? name, body: messageOf(line) }));
    });
    for (const site of sites) await site.listen();
    const closeAll = () => Promise.all(sites.map((site) => site.close()));
    return {
      options: {
        destinations: Object.fromEntries(sites.map(({ name, port }) => [name, { endpoint: `tcp://127.0.0.1:${port}` }])),
        divert_after: '100ms',
        probe_interval: '100ms',
        probe_successes: 1,
        min_dwell: '100ms',
      },
      stored: async (destination) => stored.filter((each) => each.destination === destination).map(({ body }) => body),
      async fail() {
        await closeAll();
        return async () => void (await Promise.all(sites.map((site) => site.listen())));
      },
      refusable: () => ({ batch: makeBatch(['first', '', 'third', ''], { epoch: 'contract' }), refused: 2 }),
      close: async () => void (await closeAll()),
    };
  },
};

class Site {
  readonly name: string;
  readonly #receiver: FakeReceiver;
  #server: Server | undefined;
  /** 0 until it has been listened on; the same one from then on. */
  port = 0;

  constructor(name: string, store: (line: string) => void) {
    this.name = name;
    this.#receiver = new FakeReceiver({
      onBatch: (connection, { id, lines }) => {
        const records = lines.flatMap((line, index) => (messageOf(line) === '' ? [index] : []));
        if (records.length > 0) connection.send({ type: 'refused', id, records, reason: 'empty' });
        for (const [index, line] of lines.entries()) if (!records.includes(index)) store(line);
        connection.send({ type: 'ack', id });
      },
    });
  }

  async listen(): Promise<void> {
    const server = createServer((socket) => this.#receiver.accept(socket));
    await new Promise<void>((resolve) => {
      server.listen(this.port, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.port = address.port;
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#receiver.dropAll();
    await new Promise<void>((resolve) => {
      if (server === undefined) resolve();
      else server.close(() => resolve());
    });
  }
}

export default contract;
