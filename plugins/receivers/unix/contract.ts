import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ReceiverContract } from '../../../test/contract/contract.ts';

export default {
  async open(directory) {
    const path = join(directory, 'log.sock');
    let client: Socket | undefined;
    const send = async (text: string): Promise<void> => {
      if (client === undefined) {
        client = connect(path);
        client.on('error', () => {}); // that the receiver has gone is told when it is written to
        await once(client, 'connect');
      }
      client.write(text);
    };
    return {
      options: { path },
      write: (bodies) => send(bodies.map((body) => `${body}\n`).join('')),
      writeUnfinished: (body, beginning) => send(`${body}\n${beginning}`),
      reconnect: async () => {
        client?.destroy();
        client = undefined;
      },
      close: async () => void client?.destroy(),
    };
  },
} satisfies ReceiverContract;
