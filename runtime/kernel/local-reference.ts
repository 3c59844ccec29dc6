/**
 * The address of an actor in this process.
 */
import type { Delivery } from "./actor.ts";
import type { Cell } from "./cell.ts";
import type { ActorRef, AskOptions, ReplyTo } from "./reference.ts";

/** An {@link ActorRef} to a cell. */
export class LocalReference implements ActorRef<unknown> {
  readonly #cell: Cell;

  constructor(cell: Cell) {
    this.#cell = cell;
  }

  /** For the kernel: the cell behind `ref`, or undefined if that is no local reference. */
  static cellOf(ref: ActorRef<never>): Cell | undefined {
    return #cell in ref ? (ref as LocalReference).#cell : undefined;
  }

  get path(): string {
    return this.#cell.path;
  }

  tell(message: unknown): Delivery {
    return this.#cell.deliver(message);
  }

  ask<R>(message: (replyTo: ReplyTo<R>) => unknown, options: AskOptions): Promise<R> {
    const { replies, current } = this.#cell.services;
    return replies.ask(this.#cell, current, message, options) as Promise<R>;
  }
}
