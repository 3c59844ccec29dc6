/**
 * The threads for suspects, each of which executes one attempt at a time. They cost memory, and time to start: they are there from the first suspect until a
 * while after the last.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import type { ThreadGroup } from "./thread-group.ts";

/** How long the threads wait for another suspect, in milliseconds. */
const LINGER_MS = 2_000;

/** The solitary threads of one pool. */
export class Solitude {
  readonly #clock: Clock;
  readonly #open: () => ThreadGroup;
  #group: ThreadGroup | undefined;
  #cancelEnd: CancelTimer | undefined;
  /** Resolves when the threads that were no longer needed have ended. */
  #ended: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  /** `open` starts the threads. */
  constructor(clock: Clock, open: () => ThreadGroup) {
    this.#clock = clock;
    this.#open = open;
  }

  /** The threads, if there are any. */
  get group(): ThreadGroup | undefined {
    return this.#group;
  }

  /** The threads, for a suspect. */
  enter(): ThreadGroup {
    this.#group ??= this.#open();
    return this.#group;
  }

  /** An attempt has ended: if it was the last suspect, the threads end after a while. */
  left(): void {
    if (this.#group?.isIdle !== true || this.#isStopped) return;
    this.#cancelEnd?.();
    this.#cancelEnd = this.#clock.schedule(LINGER_MS, () => {
      if (this.#group?.isIdle === true) this.#end();
    });
  }

  /** Ends the threads; resolves when they have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelEnd?.();
    this.#end();
    await this.#ended;
  }

  #end(): void {
    const group = this.#group;
    this.#group = undefined;
    if (group !== undefined) this.#ended = Promise.all([this.#ended, group.stop()]);
  }
}
