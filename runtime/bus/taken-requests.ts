/**
 * Which requests one responder has taken, by their reply subjects, so that one which comes twice is answered once: what the second time would say of it (that
 * its run has moved, that there is no place) need not be true of the first. Remembers the newest, at most twice `LIMITS.busRequestsRemembered`.
 */
import { LIMITS } from "../limits.ts";

/** The requests of one responder. */
export class TakenRequests {
  #newer = new Set<string>();
  #older = new Set<string>();

  /** Takes a request. False if it was taken before. One that wants no answer can't be told from others. */
  take(reply: string): boolean {
    if (reply === "") return true;
    if (this.#newer.has(reply) || this.#older.has(reply)) return false;
    this.#newer.add(reply);
    if (this.#newer.size < LIMITS.busRequestsRemembered) return true;
    this.#older = this.#newer;
    this.#newer = new Set();
    return true;
  }
}
