/** Keeps the demo's named pipe usable: who writes to it is never held up, not while the agent is gone either. */
import { closeSync, constants, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { makeFifo } from '../../kit/native.ts';

export class DemoPipe {
  readonly #path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Moves a regular file away that a shell made of the path while no demo ran. Returns where it is now, or undefined where there was
   * none.
   */
  moveFileAway(): string | undefined {
    if (statSync(this.#path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
    let number = 1;
    while (existsSync(`${this.#path}.${number}`)) number += 1;
    const away = `${this.#path}.${number}`;
    renameSync(this.#path, away);
    return away;
  }

  /**
   * Creates the pipe where there is none and holds it open for as long as the demo runs: a writer needs no agent to open it then,
   * and what is written before the agent runs waits for it (fifo(7)).
   */
  hold(): void {
    if (!this.#exists()) makeFifo(this.#path, 0o660);
    this.#fd = openSync(this.#path, constants.O_RDWR | constants.O_NONBLOCK);
  }

  /** Removes the pipe, since one that nobody reads holds up whoever writes to it. To be called before the agent reads the rest. */
  remove(): void {
    if (this.#exists()) rmSync(this.#path);
  }

  release(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #exists(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.isFIFO() === true;
  }
}
