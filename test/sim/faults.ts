/** What can go wrong in a schedule. */
import type { Network } from './network.ts';
import type { SimulatedProcess } from './process.ts';
import type { Random } from './random.ts';
import type { Store } from './store.ts';

/** What faults are done to. */
export interface Victims {
  readonly agent: SimulatedProcess;
  readonly receivers: readonly Receiver[];
  readonly network: Network;
}

export interface Receiver {
  readonly process: SimulatedProcess;
  readonly store: Store;
}

/** A fault that has begun; the function ends it. */
export type Begun = () => void;

export interface FaultKind {
  readonly name: string;
  /** How often it is chosen, compared with the others; default 1. */
  readonly weight?: number;
  readonly begin: (victims: Victims, random: Random) => Begun;
}

const nothing = (): void => {};

const DISK_ERRORS = ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT'] as const;

/** A clock is set by at most so much, in microseconds. */
const MAX_CLOCK_STEP_MICROS = 86_400e6;

function cutAll({ agent, receivers, network }: Victims): Begun {
  const links = receivers.flatMap(({ process: { machine } }) => [
    network.link(agent.machine, machine),
    network.link(machine, agent.machine),
  ]);
  for (const link of links) link.block();
  return () => {
    for (const link of links) link.unblock();
  };
}

function refuse(store: Store): Begun {
  store.isRefusing = true;
  return () => {
    store.isRefusing = false;
  };
}

/** How many things a process still asks of the outside before it crashes: few or many, each as likely. */
function operations(random: Random): number {
  return Math.round(Math.exp(random.between(0, Math.log(300))));
}

export const FAULT_KINDS: readonly FaultKind[] = [
  {
    name: 'the agent ends',
    weight: 2,
    begin({ agent }, random) {
      agent.end(random.pick(['stop', 'kill', 'power']));
      return nothing;
    },
  },
  {
    name: 'the agent crashes in the middle of something',
    weight: 3,
    begin({ agent }, random) {
      agent.crashAfter(operations(random), random.pick(['kill', 'power']));
      return () => agent.crashAfter(Infinity, 'kill');
    },
  },
  {
    name: 'a receiver ends',
    begin({ receivers }, random) {
      random.pick(receivers)?.process.end(random.pick(['stop', 'kill', 'power']));
      return nothing;
    },
  },
  {
    name: 'a receiver crashes in the middle of something',
    weight: 2,
    begin({ receivers }, random) {
      const process = random.pick(receivers)?.process;
      process?.crashAfter(operations(random), random.pick(['kill', 'power']));
      return () => process?.crashAfter(Infinity, 'kill');
    },
  },
  {
    name: 'a process is frozen',
    begin({ agent, receivers }, random) {
      const process = random.chance(0.2) ? agent : random.pick(receivers)?.process;
      process?.freeze();
      return () => process?.thaw();
    },
  },
  {
    name: 'a link is cut',
    begin({ agent, receivers, network }, random) {
      const { machine } = random.pick(receivers)?.process ?? agent;
      const ways = random.pick(['there', 'back', 'both']);
      const links = [
        ...(ways === 'back' ? [] : [network.link(agent.machine, machine)]),
        ...(ways === 'there' ? [] : [network.link(machine, agent.machine)]),
      ];
      for (const link of links) link.block();
      return () => {
        for (const link of links) link.unblock();
      };
    },
  },
  {
    name: 'every link is cut',
    begin: (victims) => cutAll(victims),
  },
  {
    name: 'the agent ends while every link is cut',
    weight: 3,
    begin(victims, random) {
      const calm = victims.agent.endAfter(random.between(0, 3000), random.pick(['stop', 'kill', 'power']));
      const join = cutAll(victims);
      return () => {
        calm();
        join();
      };
    },
  },
  {
    name: 'a receiver ends while its store refuses writes',
    begin({ receivers }, random) {
      const receiver = random.pick(receivers);
      if (receiver === undefined) return nothing;
      const calm = receiver.process.endAfter(random.between(0, 2000), random.pick(['stop', 'kill', 'power']));
      const allow = refuse(receiver.store);
      return () => {
        calm();
        allow();
      };
    },
  },
  {
    name: 'a link is slow',
    begin({ agent, receivers, network }, random) {
      const { machine } = random.pick(receivers)?.process ?? agent;
      const link = random.chance(0.5) ? network.link(agent.machine, machine) : network.link(machine, agent.machine);
      link.weather = { latencyMs: random.between(0, 1500), jitterMs: random.between(0, 2000) };
      return () => {
        link.weather = network.weather;
      };
    },
  },
  {
    name: 'connections are reset',
    begin({ receivers, network }, random) {
      const receiver = random.pick(receivers);
      if (receiver !== undefined) network.reset(receiver.process.machine);
      return nothing;
    },
  },
  {
    name: 'connections are half-open',
    begin({ receivers, network }, random) {
      const receiver = random.pick(receivers);
      if (receiver !== undefined) network.forget(receiver.process.machine);
      return nothing;
    },
  },
  {
    name: 'a store refuses writes',
    begin({ receivers }, random) {
      const store = random.pick(receivers)?.store;
      return store === undefined ? nothing : refuse(store);
    },
  },
  {
    name: 'a store is slow',
    begin({ receivers }, random) {
      const store = random.pick(receivers)?.store;
      if (store === undefined) return nothing;
      store.maxWriteMs = random.between(100, 6000);
      return () => {
        store.maxWriteMs = store.usualWriteMs;
      };
    },
  },
  {
    name: 'a disk fails',
    begin({ agent, receivers }, random) {
      const process = random.chance(0.7) ? agent : (random.pick(receivers)?.process ?? agent);
      const code = random.pick(DISK_ERRORS);
      const share = random.pick([1, 0.3]);
      const fails = random.next;
      process.failDisk(code, () => fails() < share);
      return () => process.failDisk(undefined);
    },
  },
  {
    name: 'a disk is full',
    begin({ agent }, random) {
      agent.fillDisk(random.integer(0, 20_000));
      return () => agent.fillDisk(Infinity);
    },
  },
  {
    name: 'a disk is slow',
    begin({ agent }, random) {
      agent.slowDisk(random.between(50, 2000));
      return () => agent.slowDisk(undefined);
    },
  },
  {
    name: 'a bit flips on the disk',
    begin({ agent }) {
      agent.corrupt();
      return nothing;
    },
  },
  {
    name: 'a clock is set',
    begin({ agent, receivers }, random) {
      const process = random.chance(0.5) ? agent : (random.pick(receivers)?.process ?? agent);
      process.machine.wallOffsetMicros += Math.round(random.between(-1, 1) * MAX_CLOCK_STEP_MICROS);
      return nothing;
    },
  },
];
