/**
 * The next turn of the event loop: for what code does "later", when nothing but the order of turns decides how much later that is.
 */

/** Resolves when everything that was already queued, microtasks included, has had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
