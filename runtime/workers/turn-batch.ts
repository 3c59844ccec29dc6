/**
 * Collects what is to be said within one turn of the event loop and says it at once: a message across threads costs far more than its items.
 */

import { platformScheduler, type Scheduler } from "../kernel/scheduler.ts";

/** Items of one turn. */
export class TurnBatch<T> {
  readonly #scheduler: Pick<Scheduler, "afterIo">;
  readonly #send: (items: T[]) => void;
  #items: T[] = [];
  #scheduled = false;

  /** `send` is called after the turn in which the first item was added. `scheduler`: says when that is. Default: the platform's. */
  constructor(send: (items: T[]) => void, scheduler: Pick<Scheduler, "afterIo"> = platformScheduler()) {
    this.#scheduler = scheduler;
    this.#send = send;
  }

  /** Adds an item to the batch of this turn. */
  add(item: T): void {
    this.#items.push(item);
    this.schedule();
  }

  /** Has a batch sent after this turn, even if it is empty. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#scheduler.afterIo(() => this.flush());
  }

  /** Sends now what was scheduled, for a sender that is about to end. */
  flush(): void {
    if (!this.#scheduled) return;
    this.#scheduled = false;
    const items = this.#items;
    this.#items = [];
    this.#send(items);
  }
}
