/**
 * Starts that other nodes have asked for a moment ago: one that comes twice, because its answer was lost or the network repeats itself, is noticed here
 * before it costs anything. A cache: what it has forgotten, the store knows.
 */
import type { RunId } from "../../runtime/ids.ts";
import { Ring } from "../../runtime/kernel/ring.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { StartedRun } from "../runs.ts";

/** See the file header. */
export class StartsSeen {
  readonly #underWay = new Map<RunId, Promise<StartedRun>>();
  readonly #ended = new Set<RunId>();
  /** The same, the latest last. */
  readonly #order = new Ring<RunId>();

  /** Has a run started, unless that is under way: then it shares its fate. `start` is told whether the run was started before, for all that is known. */
  share(runId: RunId, start: (isRepeat: boolean) => Promise<StartedRun>): Promise<StartedRun> {
    const known = this.#underWay.get(runId);
    if (known !== undefined) return known;
    const started = start(this.#ended.has(runId)).finally(() => this.#end(runId));
    this.#underWay.set(runId, started);
    return started;
  }

  #end(runId: RunId): void {
    this.#underWay.delete(runId);
    if (this.#ended.has(runId)) return;
    this.#ended.add(runId);
    this.#order.push(runId);
    while (this.#order.length > LIMITS.rememberedStarts) {
      const oldest = this.#order.shift();
      if (oldest !== undefined) this.#ended.delete(oldest);
    }
  }
}
