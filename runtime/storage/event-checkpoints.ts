/**
 * The port of what is known to be published. Each boot that publishes events has one mark: all events of what it committed by then are in the stream. A boot
 * that ends before everything is published leaves its mark behind. Each shard says up to which epoch everything is published: one whose last owner left
 * something is in debt, and its next owner publishes again what was committed since the mark.
 *
 * Marks are of the store's clock, by which commits are dated, and, for entries, of the clock of the boot that wrote them: no two clocks are ever
 * compared. Losing the latest marks in a crash only means that more is published twice. What is said of shards names the epochs of their owner, for a
 * call may be carried out long after its caller has given it up: it says nothing of a later epoch then. An older mark that comes late is still true.
 * Every adapter passes `test/conformance/event-checkpoints.ts`.
 */
import type { BootId, RunId } from "../ids.ts";
import type { ShardEpochs } from "./held-shards.ts";
import type { ShardSet } from "./shard-set.ts";

/** How far a clock may have gone back unnoticed, in milliseconds: so much more is looked at again. */
export const CLOCK_MARGIN_MS = 5_000;

/** What was committed longer ago is not looked for: streams do not keep events for longer either. */
export const OLDEST_DEBT_MS = 7 * 86_400_000;

/** Everything that was committed before is published. */
export interface PublishMark {
  /** The store's time, as it writes it. */
  readonly committedAt: string;
  /** Entries that are not published are not older: milliseconds since the epoch, by the boot's own clock. */
  readonly entriesFromMs: number;
}

/** What earlier owners of shards left to be published. */
export interface EventDebt {
  /** Empty: nothing. */
  readonly shards: ShardSet;
  /** The least of the marks that were left behind. */
  readonly since: PublishMark;
}

/** What is to be published of shards that a boot took. */
export interface TakenDebt extends EventDebt {
  /** Those that are not the boot's any more: nobody but their owner can tell what they owe. */
  readonly foreign: ShardSet;
}

/** Runs with events that may not be published. */
export interface ChangedRuns extends EventDebt {
  /** Also those with work ready, whose rows may not have changed for long. */
  readonly isWithReady: boolean;
}

/** The marks. */
export interface EventCheckpoints {
  /** Enters a boot, before its first commit, and answers its mark. `nowMs`: by the boot's clock. */
  begin(bootId: BootId, nowMs: number): Promise<PublishMark>;
  /** What of shards that the boot owns is to be published before its own commits. */
  debtOf(bootId: BootId, shards: ShardSet): Promise<TakenDebt>;
  /**
   * What earlier owners left of shards that the boot owns under these epochs is published. If it has handed them over with a debt meanwhile nothing
   * changes: that is for the next owner to settle. Marks that nobody needs any more are forgotten.
   */
  settle(bootId: BootId, shards: ShardEpochs): Promise<void>;
  /** The store's time. */
  now(): Promise<string>;
  /** Stores a boot's mark, if it has one, and answers the store's time. */
  advance(bootId: BootId, mark: PublishMark): Promise<string>;
  /**
   * Before shards are released, which the boot owns under these epochs: everything that it committed of them is published; or only what was committed before
   * `since`: they are in debt then, whoever releases them or takes them over, and whatever is settled meanwhile.
   */
  handOver(bootId: BootId, shards: ShardEpochs, since: PublishMark | undefined): Promise<void>;
  /** All that a boot committed is published, but for shards that it has handed over with a debt: forgets its mark. */
  end(bootId: BootId): Promise<void>;
  /** Runs that were changed since a mark, less a margin, in order of id, after the run `after` if given. */
  listChanged(runs: ChangedRuns, limit: number, after?: RunId): Promise<readonly RunId[]>;
  /** Gives its connections up. */
  close(): Promise<void>;
}
