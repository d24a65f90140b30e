/**
 * TCP as its two kernels keep it: bytes arrive once, in order, in pieces of any size, or not at all; what a process has written
 * goes on when the process has ended; and a side that is gone answers with a reset, if its machine is there to answer.
 *
 *     near End ──▶ Flow over a Link ──▶ far End
 *         ◀──────── the same back ─────────
 */
import type { Incarnation, Machine } from './incarnation.ts';
import type { Link } from './link.ts';
import type { Random } from './random.ts';
import type { SimulatedSocket } from './socket.ts';

type Segment = Buffer | 'syn' | 'syn-ack' | 'fin' | 'reset';

/** What a process reads from its end. */
export type Received = Buffer | 'fin';

/** One direction of a connection. */
class Flow {
  readonly #link: Link;
  readonly #to: End;
  readonly #connection: Connection;
  #queue: { readonly segment: Segment; readonly dueMs: number }[] = [];
  #isArmed = false;

  constructor(link: Link, to: End, connection: Connection) {
    this.#link = link;
    this.#to = to;
    this.#connection = connection;
  }

  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  send(segment: Segment): void {
    const dueMs = Math.max(this.#queue.at(-1)?.dueMs ?? 0, this.#link.nowMs + this.#link.delayMs());
    this.#queue.push({ segment, dueMs });
    this.#arm();
  }

  /** What has not arrived is lost, but for the first `kept` segments. */
  cut(kept: number): void {
    this.#queue.length = Math.min(kept, this.#queue.length);
  }

  #arm(): void {
    const first = this.#queue[0];
    if (first === undefined || this.#isArmed) return;
    this.#isArmed = true;
    this.#link.after(first.dueMs - this.#link.nowMs, () => {
      this.#isArmed = false;
      if (this.#connection.isForgotten) return;
      const arrived = this.#queue.shift();
      if (arrived !== undefined) this.#to.receive(arrived.segment);
      this.#arm();
    });
  }
}

/** One side of a connection. */
export class End {
  readonly machine: Machine;
  /** The process that has it; undefined at the far side until there is one. */
  incarnation: Incarnation | undefined;
  /** Set while the process has it open. */
  socket: SimulatedSocket | undefined;
  readonly #connection: Connection;
  readonly #inbox: Received[] = [];
  #inboxBytes = 0;
  #isNotifying = false;
  #isClosed = false;
  /** Written by this side, and not read by the other process yet. */
  #unreadBytes = 0;
  #onRoom: (() => void) | undefined;

  constructor(machine: Machine, connection: Connection) {
    this.machine = machine;
    this.#connection = connection;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get peer(): End {
    return this.#connection.peerOf(this);
  }

  /** Takes bytes, which are copied, and calls `taken` when there is room for more. */
  write(pieces: readonly Buffer[], taken: () => void): void {
    const bytes = Buffer.concat(pieces);
    this.#unreadBytes += bytes.length;
    for (const piece of this.#connection.chop(bytes)) this.#flow.send(piece);
    if (this.#unreadBytes < this.#connection.windowBytes) taken();
    else this.#onRoom = taken;
  }

  finish(): void {
    if (!this.#isClosed) this.#flow.send('fin');
  }

  /** What has arrived next; undefined where nothing has. */
  take(): Received | undefined {
    const next = this.#inbox.shift();
    if (next instanceof Buffer) {
      this.#inboxBytes -= next.length;
      this.peer.#read(next.length);
    }
    return next;
  }

  /** The process gives it up. What it has written is still sent, unless bytes for it wait to be read. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.socket = undefined;
    this.#flow.send(this.#inboxBytes > 0 ? 'reset' : 'fin');
    this.#inbox.length = 0;
    this.#connection.tidy();
  }

  /** No process takes it. */
  reject(): void {
    this.vanish();
    this.#flow.send('reset');
  }

  /** Its machine has lost power. */
  vanish(): void {
    this.#isClosed = true;
    this.socket = undefined;
    this.#flow.cut(0);
  }

  receive(segment: Segment): void {
    if (segment === 'syn') this.#connection.arrived();
    else if (segment === 'syn-ack') this.#tell((socket) => socket.connected());
    else if (segment === 'reset') this.#onReset();
    else if (this.#isClosed) {
      if (segment !== 'fin') this.#flow.send('reset');
    } else {
      this.#inbox.push(segment);
      if (segment !== 'fin') this.#inboxBytes += segment.length;
      this.notify();
    }
    this.#connection.tidy();
  }

  /** Lets the process know that something has arrived. */
  notify(): void {
    if (this.#isNotifying || this.#inbox.length === 0) return;
    this.#isNotifying = true;
    this.#tell((socket) => {
      this.#isNotifying = false;
      socket.bytesArrived();
    });
  }

  /** Both sides learn that the connection is no more. */
  reset(): void {
    this.#onReset();
  }

  get isIdle(): boolean {
    return this.#flow.isIdle;
  }

  get #flow(): Flow {
    return this.#connection.flowFrom(this);
  }

  #onReset(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inbox.length = 0;
    this.#tell((socket) => socket.broken());
    this.#flow.cut(0);
  }

  #read(bytes: number): void {
    this.#unreadBytes -= bytes;
    const onRoom = this.#onRoom;
    if (onRoom === undefined || this.#unreadBytes >= this.#connection.windowBytes) return;
    this.#onRoom = undefined;
    this.#tell(() => onRoom());
  }

  #tell(run: (socket: SimulatedSocket) => void): void {
    this.incarnation?.schedule(0, () => {
      if (this.socket !== undefined) run(this.socket);
    });
  }
}

export interface ConnectionOptions {
  readonly there: Link;
  readonly back: Link;
  readonly random: Random;
  /** Bytes that one side may have written and the other not read. */
  readonly windowBytes: number;
  /** How often what is sent arrives in two pieces. */
  readonly chopProbability: number;
  /** A connection wants to be taken at the far side; gives it to a process there, or returns false. */
  readonly arrived: (far: End) => boolean;
  readonly closed: () => void;
}

export class Connection {
  readonly near: End;
  readonly far: End;
  /** Nothing passes any more, and nobody is told. */
  isForgotten = false;
  readonly #options: ConnectionOptions;
  readonly #there: Flow;
  readonly #back: Flow;

  constructor(options: ConnectionOptions) {
    const { there, back } = options;
    this.#options = options;
    this.near = new End(there.from, this);
    this.far = new End(there.to, this);
    this.#there = new Flow(there, this.far, this);
    this.#back = new Flow(back, this.near, this);
  }

  get windowBytes(): number {
    return this.#options.windowBytes;
  }

  open(incarnation: Incarnation, socket: SimulatedSocket): void {
    this.near.incarnation = incarnation;
    this.near.socket = socket;
    this.#there.send('syn');
  }

  arrived(): void {
    const isTaken = this.#options.arrived(this.far);
    if (isTaken) this.#back.send('syn-ack');
    else this.far.reject();
  }

  peerOf(end: End): End {
    return end === this.near ? this.far : this.near;
  }

  flowFrom(end: End): Flow {
    return end === this.near ? this.#there : this.#back;
  }

  reset(): void {
    this.isForgotten = true;
    this.near.reset();
    this.far.reset();
    this.#options.closed();
  }

  tidy(): void {
    if (this.near.isClosed && this.far.isClosed && this.near.isIdle && this.far.isIdle) this.#options.closed();
  }

  chop(bytes: Buffer): Buffer[] {
    const { random, chopProbability } = this.#options;
    if (bytes.length < 2 || !random.chance(chopProbability)) return [bytes];
    const at = random.integer(1, bytes.length - 1);
    return [bytes.subarray(0, at), bytes.subarray(at)];
  }
}
