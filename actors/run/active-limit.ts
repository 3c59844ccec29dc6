/**
 * How many runs may have work under way at a time, found out by watching: as many as have each of their steps done within a bounded delay. Above that
 * more runs do not make more of them end, they only make each take longer. Pure: time and counts are given to it.
 *
 * Once an interval the number of runs that are under way is scaled by how far the delay is from its target, up or down to twice or half. Runs that
 * wait for slow tasks delay nobody, so the limit grows far beyond them; runs that all want to go on at once are held to what the node can carry.
 */
import { LIMITS } from "../../runtime/limits.ts";

/** Delay of one step that the limit is steered to: a few commits of an ordinary disk. In milliseconds. For tests. */
export const TARGET_DELAY_MS = 50;
/** Time between two looks at the delays, in milliseconds. Longer than the target, so that each look sees what the one before has done. For tests. */
export const LOOK_EVERY_MS = 100;
/**
 * Tasks that stay in a thread longer, on the average, are slow themselves: that others wait for a thread is then no sign that the node is. In milliseconds.
 */
const SLOW_TASK_MS = 100;
/** Looks without a commit after which there was nothing to commit; before that the node may just be slow. */
const QUIET_LOOKS = 10;
/** Greatest change at one look, up and down. */
const STEP = 2;

/** What a node has under way. */
export interface NodeLoad {
  /** Runs with work under way. */
  readonly runs: number;
  /** Whether writes wait for their commit. */
  readonly writesWait: boolean;
  /** Tasks in threads. */
  readonly tasksActive: number;
  /** Tasks that wait for a thread. */
  readonly tasksQueued: number;
}

/** See the file header. */
export class ActiveLimit {
  #limit: number = LIMITS.activeRunsAtLeast;
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** Since the last look: the sum of the commits' delays, how many there were, and the tasks that ended. */
  #sumMs = 0;
  #commits = 0;
  #tasks = 0;
  /** Looks in a row that saw no commit. */
  #quietLooks = 0;

  /** The limit as it was at the last look. */
  get value(): number {
    return this.#limit;
  }

  /** A write was committed, that long after its turn. */
  noteCommit(delayMs: number): void {
    this.#sumMs += delayMs;
    this.#commits += 1;
  }

  /** A task has ended. */
  noteTask(): void {
    this.#tasks += 1;
  }

  /** Looks at the delays, if it is time. */
  look(nowMs: number, load: () => NodeLoad): void {
    const elapsedMs = nowMs - this.#lookedMs;
    if (elapsedMs < LOOK_EVERY_MS) return;
    const { runs, ...rest } = load();
    const delayMs = this.#commitDelayMs(rest.writesWait) + this.#threadDelayMs(rest, elapsedMs);
    const factor = Math.min(Math.max(TARGET_DELAY_MS / delayMs, 1 / STEP), STEP);
    this.#limit = Math.min(Math.max(Math.ceil(runs * factor), LIMITS.activeRunsAtLeast), LIMITS.activeRuns);
    this.#lookedMs = nowMs;
    this.#sumMs = 0;
    this.#commits = 0;
    this.#tasks = 0;
  }

  /** No commit since the last look: they are late, or there was nothing to do. The limit is left alone until that is known. */
  #commitDelayMs(writesWait: boolean): number {
    this.#quietLooks = this.#commits > 0 ? 0 : this.#quietLooks + 1;
    if (this.#commits > 0) return this.#sumMs / this.#commits;
    return writesWait || this.#quietLooks < QUIET_LOOKS ? TARGET_DELAY_MS : 0;
  }

  /** How long a task waits for a thread: as many wait as start in that time. Not counted where tasks are slow themselves. */
  #threadDelayMs({ tasksActive, tasksQueued }: Omit<NodeLoad, "runs">, elapsedMs: number): number {
    if (tasksQueued === 0 || this.#tasks === 0 || elapsedMs === Number.POSITIVE_INFINITY) return 0;
    const apartMs = elapsedMs / this.#tasks;
    return tasksActive * apartMs > SLOW_TASK_MS ? 0 : tasksQueued * apartMs;
  }
}
