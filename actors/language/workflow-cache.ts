/**
 * Compiled workflows in memory, by the id of their stored version. Versions are immutable, so nothing here ever gets stale. Bounded by
 * count: the longest unused is dropped. Callers that ask for the same workflow at the same time share one loading.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Workflow } from "./model.ts";

/** A bounded cache of compiled workflows. */
export class WorkflowCache {
  readonly #load: (id: string) => Promise<Workflow>;
  readonly #capacity: number;
  /** In order of use, the longest unused first. */
  readonly #ready = new Map<string, Workflow>();
  readonly #loading = new Map<string, Promise<Workflow>>();

  /** `load` reads and compiles a stored version. `capacity` defaults to LIMITS.cachedWorkflows. */
  constructor(load: (id: string) => Promise<Workflow>, capacity: number = LIMITS.cachedWorkflows) {
    this.#load = load;
    this.#capacity = capacity;
  }

  /** Workflows in memory. */
  get size(): number {
    return this.#ready.size;
  }

  /** The workflow, if it is in memory. */
  peek(id: string): Workflow | undefined {
    const workflow = this.#ready.get(id);
    if (workflow !== undefined) this.put(id, workflow);
    return workflow;
  }

  /** The workflow, loaded if need be. Rejects as `load` does; a failure is not remembered. */
  async get(id: string): Promise<Workflow> {
    const ready = this.peek(id);
    if (ready !== undefined) return ready;
    const underWay = this.#loading.get(id);
    if (underWay !== undefined) return underWay;
    const loading = this.#loadOnce(id);
    this.#loading.set(id, loading);
    return loading;
  }

  /** Remembers a workflow that was just compiled, as on its deployment. */
  put(id: string, workflow: Workflow): void {
    this.#ready.delete(id);
    this.#ready.set(id, workflow);
    const [oldest] = this.#ready.keys();
    if (this.#ready.size > this.#capacity && oldest !== undefined) this.#ready.delete(oldest);
  }

  async #loadOnce(id: string): Promise<Workflow> {
    try {
      // in a later turn, even if `load` throws at once: `get` must have noted this loading before it ends
      const workflow = await Promise.resolve(id).then((key) => this.#load(key));
      this.put(id, workflow);
      return workflow;
    } finally {
      this.#loading.delete(id);
    }
  }
}
