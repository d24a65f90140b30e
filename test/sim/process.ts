/** A process of a simulation: the real program on simulated surroundings. It crashes, is stopped, and is started again. */
import type { FileSystem } from '../../src/core/files.ts';
import { SimulatedDisk } from '../helpers/simulated_disk.ts';
import { Incarnation, type Machine } from './incarnation.ts';
import type { Network } from './network.ts';
import type { Program } from './program.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

/** How a process ends. `power`: its machine goes down, and what its disk had not synced is lost. */
export type Ending = 'stop' | 'kill' | 'power';

export interface ProcessOptions {
  readonly name: string;
  readonly timeline: Timeline;
  readonly network: Network;
  readonly random: Random;
  readonly trace: Trace;
  /** The most that a call of the disk takes where nothing is wrong, in milliseconds. */
  readonly healthyDiskMs: number;
  /** Makes the program; called at each start. */
  readonly create: (incarnation: Incarnation, files: FileSystem) => Program;
  /** Called when the program begins to start. */
  readonly starting: () => void;
  /** Called when the program has taken up what an earlier one has left, before anything else happens. */
  readonly opened: (program: Program) => void;
  /** Called when an incarnation is no more. `program` is as it was at the end. */
  readonly ended: (incarnation: Incarnation, program: Program, ending: Ending) => void;
  /** Something happened that never may. */
  readonly failed: (what: string) => void;
}

/** How long a process that has been told to stop may take to deliver what it holds, and a supervisor waits before a start. */
const MAX_STOP_MS = 3000;
const MAX_RESTART_MS = 2500;

export class SimulatedProcess {
  readonly machine: Machine;
  readonly disk: SimulatedDisk;
  readonly #options: ProcessOptions;
  #incarnation: Incarnation | undefined;
  #program: Program | undefined;
  #maxDiskMs: number;
  #starts = 0;
  #flips = 0;
  #hasBeenDisturbed = false;
  #hasOpened = false;
  #isRunning = false;
  #isStopping = false;

  constructor(options: ProcessOptions) {
    const { name, random, timeline, healthyDiskMs } = options;
    this.#options = options;
    this.machine = { name, wallOffsetMicros: 0, isUp: true };
    const clock = {
      monotonicMs: () => timeline.nowMs,
      wallMicros: () => this.#incarnation?.clock.wallMicros() ?? 0,
      after: (delayMs: number, run: () => void) => this.#incarnation?.schedule(delayMs, run) ?? { cancel() {} },
    };
    this.disk = new SimulatedDisk({ random: random.next, clock });
    this.#maxDiskMs = healthyDiskMs;
    this.disk.latencyMs = () => Math.max(0.01, random.next() * this.#maxDiskMs);
    this.#watchDisk(() => undefined);
  }

  /** Bits that have flipped on its disk. */
  get flips(): number {
    return this.#flips;
  }

  /** Whether its disk was ever slow, full or failing, or the process was frozen. */
  get hasBeenDisturbed(): boolean {
    return this.#hasBeenDisturbed;
  }

  get name(): string {
    return this.#options.name;
  }

  get incarnation(): Incarnation | undefined {
    return this.#incarnation;
  }

  /** The program, from when it has taken up what an earlier run has left to its end. */
  get opened(): Program | undefined {
    return this.#hasOpened ? this.#program : undefined;
  }

  /** The program, from the end of its start on. */
  get running(): Program | undefined {
    return this.#isRunning ? this.#program : undefined;
  }

  start(): void {
    const { timeline, create, trace, network, starting, opened } = this.#options;
    if (this.#incarnation !== undefined) return;
    if (!this.machine.isUp) {
      this.machine.isUp = true;
      network.powered(this.machine);
    }
    this.#starts += 1;
    const incarnation = new Incarnation(timeline, this.machine, this.#starts);
    this.#incarnation = incarnation;
    this.#isStopping = false;
    trace.note(`${this.name} starts for the ${this.#starts}. time`);
    const program = create(incarnation, this.disk.mount());
    this.#program = program;
    starting();
    const onOpened = (): void => {
      if (!incarnation.isAlive) return;
      this.#hasOpened = true;
      opened(program);
    };
    program.start(onOpened).then(
      () => {
        if (incarnation.isAlive) this.#isRunning = true;
      },
      (error: unknown) => {
        if (!incarnation.isAlive) return;
        trace.note(`${this.name} could not start: ${String(error)}`);
        this.#end('kill');
        this.#restartLater();
      },
    );
  }

  /** Ends it, and starts it again after a while. */
  end(ending: Ending): void {
    if (this.#incarnation === undefined) return;
    if (ending === 'stop') void this.stop().then((isStopped) => isStopped && this.#restartLater());
    else {
      this.#end(ending);
      this.#restartLater();
    }
  }

  /** Ends it in a while, unless the function returned is called before. */
  endAfter(delayMs: number, ending: Ending): () => void {
    const planned = this.#options.timeline.after(delayMs, () => this.end(ending));
    return () => planned.cancel();
  }

  /** Ends it in good order; resolves when it has ended, with false where it was not running or crashed meanwhile. */
  async stop(): Promise<boolean> {
    const { timeline, trace, random, failed } = this.#options;
    const incarnation = this.#incarnation;
    const program = this.running;
    if (program === undefined || incarnation === undefined || this.#isStopping) return false;
    this.#isStopping = true;
    trace.note(`${this.name} is told to stop`);
    incarnation.thaw();
    await program.stop(incarnation.clock.monotonicMs() + random.between(0, MAX_STOP_MS));
    await new Promise<void>((resolve) => {
      timeline.after(0, resolve);
    });
    if (!incarnation.isAlive) return false;
    if (incarnation.pendingTimers > 0) failed(`${this.name} has stopped and left ${incarnation.pendingTimers} timers`);
    this.#end('stop');
    return true;
  }

  /** Crashes in the middle of the `operations`th thing that it asks of the outside from now on; never with `Infinity`. */
  crashAfter(operations: number, ending: 'kill' | 'power'): void {
    this.#incarnation?.crashAfter(operations, () => {
      this.#end(ending);
      this.#restartLater();
    });
  }

  /** Operations of the disk that change something, or all with `EIO`, fail with this code when `isHit` says so; undefined for none. */
  failDisk(code: string | undefined, isHit: () => boolean = () => true): void {
    this.#hasBeenDisturbed = true;
    this.disk.failWith(code);
    const { fault } = this.disk;
    this.#watchDisk((operation, path) => (isHit() ? fault(operation, path) : undefined));
  }

  /** Calls of the disk take up to `maxMs`; what is usual where it is undefined. */
  slowDisk(maxMs: number | undefined): void {
    this.#hasBeenDisturbed = true;
    this.#maxDiskMs = maxMs ?? this.#options.healthyDiskMs;
  }

  /** The disk has room for so many more bytes. */
  fillDisk(roomBytes: number): void {
    this.#hasBeenDisturbed = true;
    this.disk.maxBytes = this.disk.bytes + roomBytes;
  }

  /** Flips a bit in a segment of the spool, if there is one. */
  corrupt(): void {
    const at = this.disk.corrupt((path) => path.endsWith('.segment'));
    if (at === undefined) return;
    this.#flips += 1;
    this.#options.trace.note(`${this.name}: a bit of ${at.path} flips at ${at.offset}`);
  }

  freeze(): void {
    if (this.#isStopping) return;
    this.#options.trace.note(`${this.name} is frozen`);
    this.#hasBeenDisturbed = true;
    this.#incarnation?.freeze();
  }

  thaw(): void {
    this.#options.trace.note(`${this.name} goes on`);
    this.#incarnation?.thaw();
  }

  #end(ending: Ending): void {
    const incarnation = this.#incarnation;
    const program = this.#program;
    if (incarnation === undefined || program === undefined) return;
    const { trace, ended, network } = this.#options;
    trace.note(`${this.name} ends: ${ending}`);
    incarnation.die();
    this.#incarnation = undefined;
    this.#program = undefined;
    this.#isRunning = this.#hasOpened = false;
    if (ending === 'power') {
      this.machine.isUp = false;
      this.disk.crash();
    } else this.disk.kill();
    network.ended(incarnation);
    ended(incarnation, program, ending);
  }

  /** The disk fails as `fault` says, and its calls are what the process may crash in. */
  #watchDisk(fault: SimulatedDisk['fault']): void {
    this.disk.fault = (operation, path) => {
      if (this.#incarnation?.operate() === true) return fault(operation, path);
      // It has just crashed. A part of a write may have been made before, but not after the power went.
      return this.machine.isUp && this.#options.random.chance(0.5) ? undefined : 'EIO';
    };
  }

  #restartLater(): void {
    const { timeline, random } = this.#options;
    timeline.after(random.between(10, MAX_RESTART_MS), () => this.start());
  }
}
