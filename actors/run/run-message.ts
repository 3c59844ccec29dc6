/**
 * Messages of run actors and shard actors. Plain data, but for reply addresses.
 */
import type { RunId } from "../../runtime/ids.ts";
import type { Outcome } from "../../runtime/kernel/context.ts";
import type { ReplyTo } from "../../runtime/kernel/reference.ts";
import type { ExternalAnswer, ExternalRequest } from "../language/expression.ts";
import type { Workflow } from "../language/model.ts";
import type { RunView, StartRun } from "../runs.ts";
import type { RunCommand } from "./core/command.ts";
import type { Effect } from "./core/effects.ts";
import type { LoadedRun } from "./loading.ts";

/** A new run is to begin; answered after the commit, or with why there is none. `isRepeat`: it may have begun before; then it is only answered. */
export interface StartMessage {
  readonly kind: "start";
  readonly workflow: Workflow;
  readonly request: StartRun;
  readonly isRepeat: boolean;
  readonly replyTo: ReplyTo<void> | undefined;
}

/** What a run actor is told. */
export type RunMessage =
  | StartMessage
  /** Anything that a run may be told; answered after the commit. */
  | { readonly kind: "command"; readonly command: RunCommand; readonly replyTo: ReplyTo<void> | undefined }
  | { readonly kind: "describe"; readonly replyTo: ReplyTo<RunView> }
  /** To itself: its state was read from the journal. */
  | { readonly kind: "loaded"; readonly outcome: Outcome<LoadedRun>; readonly afterFailure: boolean }
  /** To itself: what it wrote was committed, or was not. */
  | { readonly kind: "committed"; readonly outcome: Outcome<void>; readonly effects: readonly Effect[] }
  /** To itself: an evaluation was computed. */
  | { readonly kind: "evaluated"; readonly request: ExternalRequest; readonly outcome: Outcome<ExternalAnswer> }
  /** To itself: what could not be done is to be tried again. */
  | { readonly kind: "retry" };

/** What a shard actor is told: a message for one of its runs. */
export interface ShardMessage {
  readonly runId: RunId;
  readonly message: RunMessage;
}
