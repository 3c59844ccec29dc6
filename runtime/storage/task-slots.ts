/**
 * The port of the slots of concurrency keys: at most so many attempts with the same key are under way at a time, in the whole cluster. A slot is a row that
 * names its attempt. Whoever executes an attempt with a key has the slot taken before, and freed after the attempt's end is committed.
 *
 * - An attempt has one slot of a key, whoever takes it and how often: the next owner of its run finds it taken, and goes on with it.
 * - Those who take slots of a key do so one after the other, each counting what all before it were given.
 * - The least limit counts for all attempts with the key: of those that have a slot, and of those for whom there is none, the first of each call, for
 *   {@link LEAST_LIMIT_MS}. So an attempt that asks for a smaller limit than others gets its slot in the end.
 * - A slot is freed in two ways: by anyone who knows from the journal that its attempt is over, which stays so; or by the owner of the run's shard that does
 *   not execute the attempt (`reclaim`). Then the store makes sure that nobody else becomes the shard's owner before the slot is gone.
 *
 * A run that is handed over leaves attempts behind that are still being stopped, and are executed anew elsewhere: such an execution has a slot of its own until
 * it has ended (`linger`), beyond the limit if need be.
 *
 * So no attempt is executed at its owner without a slot, whatever is lost in between; what a crash leaves behind is found by {@link TaskSlots.list}. Every
 * adapter passes `test/conformance/task-slots.ts`.
 */
import type { BootId, RunId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { ShardEpochs } from "./held-shards.ts";
import type { ShardSet } from "./shard-set.ts";

/**
 * How long the limit of an attempt counts for which there was no slot, in milliseconds, unless it asks again. The statement of `pg-task-slots.ts`
 * says the same.
 */
export const LEAST_LIMIT_MS = 5_000;

/** The slot of an attempt. */
export interface TaskSlot {
  readonly key: string;
  readonly runId: RunId;
  /** Number of the task's frame in its run. */
  readonly frame: number;
  readonly attempt: number;
}

/** How many executions of one task can be told apart that go on where its run has left: enough that numbers which are drawn are never the same. */
export const LINGERING_NUMBERS = 2_147_483_647;

/**
 * The slot of an execution of an attempt that goes on where the attempt's run has left. It has a negative number instead of the attempt's, which is drawn
 * (0 to {@link LINGERING_NUMBERS} - 1), for the same attempt may go on at several places.
 */
export function lingeringOf({ key, runId, frame }: TaskSlot, number: number): TaskSlot {
  return { key, runId, frame, attempt: -1 - number };
}

/** A slot that is wanted. */
export interface SlotRequest extends TaskSlot {
  /** Slots of the key that may be taken with this one, if nobody asks for fewer. */
  readonly limit: number;
}

/** The slots. */
export interface TaskSlots {
  /**
   * Takes slots, for each key in the order of the requests, and answers which of them are held now. An attempt that has its slot keeps it. Nobody passes by the
   * first of a key for whom there is no slot. Attempts of runs whose shard the boot does not own get none. If it rejects, the slots may be taken all the
   * same; taking them again is harmless.
   */
  take(bootId: BootId, wanted: readonly SlotRequest[]): Promise<readonly SlotRequest[]>;
  /** Takes slots whatever the limit, for executions that go on where their run has left. */
  linger(slots: readonly TaskSlot[]): Promise<void>;
  /** Frees slots of attempts whose end is committed, and of executions that have ended. Those that are free are passed over. */
  free(slots: readonly TaskSlot[]): Promise<void>;
  /**
   * Frees slots of attempts that the boot does not execute, if it owns their runs' shards under these epochs; answers how many. The epochs are those
   * under which it asks: a call that arrives after the shard has left and come back frees nothing, for the attempt may have been given the slot anew
   * meanwhile. Within one epoch that can happen to an attempt that the boot did not know of for so long that it asked for this, and that it executes
   * again before a call arrives which it has given up (its connection broke): then one more than the limit is executed.
   */
  reclaim(bootId: BootId, slots: readonly TaskSlot[], epochs: ShardEpochs): Promise<number>;
  /** Slots of attempts of the shards' runs, in a fixed order, after `after` if it is given. */
  list(shards: ShardSet, limit: number, after?: TaskSlot): Promise<readonly TaskSlot[]>;
  /** Gives its connections up. */
  close(): Promise<void>;
}

/** All slots of attempts of the shards' runs. */
export async function allSlots(store: Pick<TaskSlots, "list">, shards: ShardSet): Promise<readonly TaskSlot[]> {
  const all: TaskSlot[] = [];
  for (;;) {
    const page = await store.list(shards, LIMITS.slotsPerStatement, all.at(-1));
    all.push(...page);
    if (page.length < LIMITS.slotsPerStatement) return all;
  }
}
