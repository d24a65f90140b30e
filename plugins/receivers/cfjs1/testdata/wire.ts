/** Connections over pairs of streams, in virtual time, with what a test needs to play the agent and the engine. */
import { FakeReceiverContext } from '../../../../test/helpers/contexts.ts';
import { VirtualClock } from '../../../../test/helpers/virtual_clock.ts';
import { BufferBudget } from '../../../../src/kit/buffer_budget.ts';
import { Connection } from '../connection.ts';
import { Cfjs1Events } from '../events.ts';
import { FrameMemory } from '../frame_memory.ts';
import { options as schema } from '../index.ts';
import { createSeenRecords, type SeenRecords } from '../seen_records.ts';
import { connectedPair } from './duplex_listener.ts';
import { FakeAgent } from './fake_agent.ts';

export class Wire {
  readonly clock = new VirtualClock();
  readonly context = new FakeReceiverContext({ clock: this.clock });
  readonly events = new Cfjs1Events(this.context);
  readonly options;
  readonly budget: BufferBudget;
  readonly memory = new FrameMemory(4 * 1024 * 1024);
  readonly seen: SeenRecords | undefined;
  /** Connections that have been closed. */
  closed = 0;

  constructor(options: Readonly<Record<string, unknown>> = {}) {
    this.options = schema.parse({ listen: '127.0.0.1:0', name: 'log-a', ...options });
    this.seen = createSeenRecords(this.options, this.events);
    this.budget = new BufferBudget(this.options.max_buffered_bytes);
  }

  /** Connects an agent that has not said anything yet. */
  connect() {
    const [near, far] = connectedPair();
    const { options, context, events, budget, memory, seen } = this;
    const closed = () => (this.closed += 1);
    const connection = new Connection(near, { peer: 'peer', options, context, events, budget, memory, seen, closed });
    return { agent: new FakeAgent(far), connection };
  }

  /** Connects an agent and exchanges hellos. */
  async greet(name = 'web-1', boot?: string) {
    const connected = this.connect();
    connected.agent.hello(name, boot);
    await this.settle();
    return connected;
  }

  settle(): Promise<void> {
    return this.clock.settle();
  }

  counted(name: string): number {
    return this.context.metrics.sum(`sluice_cfjs1_${name}`);
  }
}
