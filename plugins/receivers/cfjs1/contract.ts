import type { ReceiverContract } from '../../../test/contract/contract.ts';
import { freePort } from '../../../test/helpers/sluice_process.ts';
import { waitFor } from '../../../test/helpers/wait_for.ts';
import { FakeAgent } from './testdata/fake_agent.ts';
import { lineOf, messageOf } from './testdata/lines.ts';

/** An agent that keeps what has not been acked, and offers it again when it connects anew. */
const contract: ReceiverContract = {
  async open() {
    const port = await freePort();
    let agent: FakeAgent | undefined;
    let unacked: string[][] = [];
    const send = (bodies: readonly string[][]): void => {
      for (const lines of bodies) agent?.send(lines);
    };
    const connect = async (): Promise<void> => {
      unacked = [...unacked, ...(agent?.unacked ?? [])];
      agent?.close();
      agent = await FakeAgent.connect(port);
      await agent.greeted();
      send(unacked.splice(0));
    };
    return {
      options: { listen: `127.0.0.1:${port}`, name: 'log-a' },
      async write(bodies) {
        if (agent === undefined) await connect();
        send([bodies.map((body) => lineOf(body, 'contract'))]);
        await waitFor(() => agent?.isFlushed === true, { what: 'the agent to have written' });
      },
      reconnect: connect,
      bodyOf: ({ body }) => messageOf(body),
      async close() {
        agent?.close();
      },
    };
  },
};

export default contract;
