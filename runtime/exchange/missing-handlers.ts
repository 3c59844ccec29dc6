/**
 * Which executors are known to lack which handlers: those that gave an attempt back for want of it.
 */
import type { BootId } from "../ids.ts";

/** What one lender knows. */
export class MissingHandlers {
  readonly #byExecutor = new Map<BootId, Set<string>>();

  /** An executor has said that it lacks a handler. */
  note(executor: BootId, handler: string): void {
    const handlers = this.#byExecutor.get(executor) ?? new Set<string>();
    this.#byExecutor.set(executor, handlers.add(handler));
  }

  /** True if an executor has said so. */
  lacks(executor: BootId, handler: string): boolean {
    return this.#byExecutor.get(executor)?.has(handler) === true;
  }

  /** An executor has ended. */
  forget(executor: BootId): void {
    this.#byExecutor.delete(executor);
  }
}
