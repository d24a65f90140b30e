/** The demo's three processes, started and ended in the order in which none of them is left without the one it needs. */
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentConfig } from '../../config/agent_config.ts';
import { Member } from './member.ts';
import { AGENT, type DemoPaths, type MemberName, MEMBERS, RECEIVERS } from './paths.ts';

const START_TIMEOUT_MS = 30_000;
/** What a process may take to end beyond its `shutdown_timeout`. */
const END_SLACK_MS = 5000;

export interface FleetEvents {
  /** The ids of the processes that run now, whenever one more does. */
  readonly onStarted: (pids: readonly number[]) => void;
  /** A process has ended that nobody asked to. */
  readonly onEnded: (name: MemberName, how: string) => void;
}

export class Fleet {
  readonly #paths: DemoPaths;
  readonly #configs: ReadonlyMap<MemberName, AgentConfig>;
  readonly #events: FleetEvents;
  readonly #members = new Map<MemberName, Member>();
  /** Whether a process that ends has not been asked to. */
  #isWatching = false;

  constructor(paths: DemoPaths, configs: ReadonlyMap<MemberName, AgentConfig>, events: FleetEvents) {
    this.#paths = paths;
    this.#configs = configs;
    this.#events = events;
  }

  /** Receivers first. Throws a SluiceError with what a process printed that does not start; `stop` ends the others. */
  async start(): Promise<void> {
    for (const names of [RECEIVERS, [AGENT]] as const) {
      const members = names.map((name) => this.#launch(name));
      await Promise.all(members.map((member) => member.started(START_TIMEOUT_MS)));
    }
    this.#isWatching = true;
  }

  pid(name: MemberName): number {
    return this.#members.get(name)?.pid ?? 0;
  }

  isRunning(name: MemberName): boolean {
    return this.#members.get(name)?.isRunning ?? false;
  }

  /** The agent first, which still has receivers to deliver to then. Resolves to the names of those that had to be killed. */
  async stop(): Promise<MemberName[]> {
    this.#isWatching = false;
    const killed: MemberName[] = [];
    for (const names of [[AGENT], RECEIVERS] as const) {
      const ended = await Promise.all(names.map((name) => this.#end(name)));
      killed.push(...names.filter((_, at) => ended[at] === false));
    }
    return killed;
  }

  /** Ends all at once, without waiting for anything. */
  kill(): void {
    for (const member of this.#members.values()) member.kill();
  }

  /** The agent's own log. */
  agentLog(): ReturnType<Member['logLines']> {
    return this.#members.get(AGENT)?.logLines() ?? [];
  }

  #launch(name: MemberName): Member {
    const member = new Member(name, this.#paths.config(name), this.#paths.log(name));
    this.#members.set(name, member);
    this.#events.onStarted(MEMBERS.map((each) => this.pid(each)).filter((pid) => pid > 0));
    void member.ended.then((how) => {
      if (this.#isWatching) this.#events.onEnded(name, how);
    });
    return member;
  }

  /** False where the process did not end in time and was killed. */
  async #end(name: MemberName): Promise<boolean> {
    const member = this.#members.get(name);
    if (member === undefined || !member.isRunning) return true;
    member.stop();
    const timeout = new AbortController();
    const timeoutMs = (this.#configs.get(name)?.service.shutdownTimeoutMs ?? 0) + END_SLACK_MS;
    const late = delay(timeoutMs, true, { signal: timeout.signal }).catch(() => false);
    const isLate = await Promise.race([late, member.ended.then(() => false)]);
    timeout.abort();
    if (!isLate) return true;
    member.kill();
    await member.ended;
    return false;
  }
}
