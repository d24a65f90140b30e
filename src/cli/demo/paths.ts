/** Where the demo keeps things. */
import { join } from 'node:path';

export const RECEIVERS = ['log-a', 'log-b'] as const;
export type ReceiverName = (typeof RECEIVERS)[number];
/** The agent's name among the demo's processes, and the stem of its files. */
export const AGENT = 'sluice';
export type MemberName = typeof AGENT | ReceiverName;
export const MEMBERS: readonly MemberName[] = [...RECEIVERS, AGENT];

/** Paths under the demo's directory, absolute where that is. */
export class DemoPaths {
  readonly directory: string;
  /** A named pipe to write lines to. */
  readonly pipe: string;
  /** A unix stream socket to write lines to. */
  readonly socket: string;
  /** What the demo remembers from one time to the next. */
  readonly memory: string;

  constructor(directory: string) {
    this.directory = directory;
    this.pipe = join(directory, 'demo.pipe');
    this.socket = join(directory, 'sluice.sock');
    this.memory = join(directory, '.demo.json');
  }

  config(member: MemberName): string {
    return join(this.directory, `${member}.yaml`);
  }

  /** What the process prints: its own log, one JSON object a line. */
  log(member: MemberName): string {
    return join(this.directory, `${member}.log`);
  }

  topics(receiver: ReceiverName): string {
    return join(this.directory, receiver, 'topics');
  }

  state(member: MemberName): string {
    return join(this.directory, member, 'state');
  }
}
