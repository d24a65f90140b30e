/**
 * Virtual time. Events happen one by one, in the order in which they are due and then in which they were planned; between two of
 * them everything runs that waits for promises or the next tick, so that a schedule always goes the same way.
 */
export interface Planned {
  /** Does nothing where the event has happened. */
  cancel(): void;
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export class Timeline {
  /** A binary heap, earliest first; cancelled events stay in it until they are due. */
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #planned = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Planned {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#planned++, run };
    this.#push(event);
    return {
      cancel: () => {
        event.run = undefined;
      },
    };
  }

  /** Lets time pass until `endMs`, or until `isDone`, which is asked before each event; returns whether it was. */
  async advance(endMs: number, isDone: () => boolean = () => false): Promise<boolean> {
    await turn();
    for (;;) {
      if (isDone()) return true;
      const event = this.#heap[0];
      if (event === undefined || event.atMs > endMs) break;
      this.#pop();
      const { run } = event;
      if (run === undefined) continue;
      this.#nowMs = event.atMs;
      run();
      await turn();
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
    return isDone();
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break; // a parent is below its child's index
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = at * 2 + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1; // both are below the length
      if (!isBefore(heap[child]!, last)) break; // as above
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** One turn of the event loop: it ends when neither promises nor ticks wait any more. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
