/**
 * How many bytes were sent on a wire that the other end has not shown to have taken. Sockets buffer without bound and do not tell, so the wire is flushed
 * whenever much was sent: what was sent before the answer is out of memory.
 */
import { LIMITS } from "../limits.ts";
import type { Wire } from "./wire.ts";

/** Bytes that are sent before it is asked whether they were taken. */
const FLUSH_EVERY_BYTES = 256 * 1024;

/** The bytes of one wire. */
export class OutgoingBytes {
  readonly #wire: Wire;
  #count = 0;
  #isFlushing = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Bytes that may wait in memory, at most. */
  get count(): number {
    return this.#count;
  }

  /** Adds bytes that are sent now; answers false, and adds nothing, if too many wait: `LIMITS.busPendingBytes`. */
  add(bytes: number): boolean {
    if (this.#count + bytes > LIMITS.busPendingBytes) return false;
    this.#count += bytes;
    if (this.#count >= FLUSH_EVERY_BYTES && !this.#isFlushing) this.#flush();
    return true;
  }

  #flush(): void {
    this.#isFlushing = true;
    const sent = this.#count;
    this.#wire.flush().then(
      () => {
        this.#count -= sent;
        this.#isFlushing = false;
      },
      () => {
        // The wire broke, and this object goes with it.
      },
    );
  }
}
