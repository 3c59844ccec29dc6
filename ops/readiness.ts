/**
 * What has to be true before a node takes work, by name. Each part of the node reports for itself; the ops server and the gateway's health
 * service ask for the sum.
 */

/** The state of one part. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ready: boolean;
  /** Why it is not ready; empty when it is. */
  readonly reason: string;
  /** What is amiss although it is ready; absent if nothing is. */
  readonly note?: string;
}

/** The checks of one node. */
export class Readiness {
  readonly #reasons: Map<string, string>;
  readonly #notes = new Map<string, string>();
  readonly #onChange: (isReady: boolean) => void;
  #wasReady = false;

  /** Nothing is ready at first. `onChange` hears when the sum of all parts becomes another. */
  constructor(names: readonly string[], onChange: (isReady: boolean) => void = () => undefined) {
    this.#reasons = new Map(names.map((name) => [name, "not started"]));
    this.#onChange = onChange;
  }

  /** Marks a part as ready. */
  ready(name: string): void {
    this.#set(name, "");
  }

  /** Marks a part as not ready. The reason must not be empty. */
  notReady(name: string, reason: string): void {
    this.#set(name, reason);
  }

  /** Notes what is amiss with a part that works without it. Empty: nothing any more. */
  note(name: string, what: string): void {
    if (what === "") this.#notes.delete(name);
    else this.#notes.set(name, what);
  }

  /** True if every part is ready. */
  get isReady(): boolean {
    return this.checks().every((check) => check.ready);
  }

  #set(name: string, reason: string): void {
    this.#reasons.set(name, reason);
    const { isReady } = this;
    if (isReady === this.#wasReady) return;
    this.#wasReady = isReady;
    this.#onChange(isReady);
  }

  /** All parts, in the order in which they were declared. */
  checks(): readonly ReadinessCheck[] {
    return [...this.#reasons].map(([name, reason]) => {
      const note = this.#notes.get(name);
      return { name, ready: reason === "", reason, ...(note !== undefined && { note }) };
    });
  }
}
