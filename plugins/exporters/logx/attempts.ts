/** Of more deliveries than these, the oldest are forgotten and counted anew. */
const MAX_DELIVERIES = 65_536;

/** How often deliveries were sent and came back without an ack, by their position, until they are settled. */
export class Attempts {
  readonly #counts = new Map<number, number>();

  of(position: number): number {
    return this.#counts.get(position) ?? 0;
  }

  sentInVain(position: number): void {
    this.#counts.set(position, this.of(position) + 1);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MAX_DELIVERIES && oldest !== undefined) this.#counts.delete(oldest);
  }

  forget(position: number): void {
    this.#counts.delete(position);
  }

  /** For when nothing is left to be sent: what the spool has dropped is never settled. */
  clear(): void {
    this.#counts.clear();
  }
}
