/**
 * Lets any number of callers share one read of the store at a time: who asks while one is under way shares the next one with all others that do. So
 * the store has one read to answer, however many ask, and nobody is answered with what was read before he asked.
 */

/** See the file header. */
export class JointRead<T> {
  readonly #read: () => Promise<T>;
  #running: Promise<void> | undefined;
  #next: Promise<T> | undefined;

  /** `read` is called once at a time. */
  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  /** What a read answers that begins from now on. @throws what the read throws, to all who share it. */
  get(): Promise<T> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#begin();
    this.#next = this.#running.then(() => {
      this.#next = undefined;
      return this.#begin();
    });
    return this.#next;
  }

  #begin(): Promise<T> {
    const reading = this.#read();
    const end = (): void => {
      this.#running = undefined;
    };
    this.#running = reading.then(end, end);
    return reading;
  }
}
