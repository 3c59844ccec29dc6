/**
 * Messages of run actors and shard actors. Plain data, but for reply addresses.
 */
import type { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { Outcome } from "../../runtime/kernel/context.ts";
import type { ReplyTo } from "../../runtime/kernel/reference.ts";
import type { ExternalAnswer, ExternalRequest } from "../language/expression.ts";
import type { Workflow } from "../language/model.ts";
import type { ActiveTask, StartRun } from "../runs.ts";
import type { RunCommand } from "./command.ts";
import type { Effect } from "./effects.ts";
import type { RunState } from "./state.ts";

/** What became of a start: the run is committed, or its key belongs to another one. */
export type StartReply = { readonly created: true } | { readonly created: false; readonly runId: RunId };

/** A run as its actor sees it: what the journal alone does not tell quickly. */
export interface RunSnapshot {
  readonly input: string;
  readonly output: string | undefined;
  readonly error: RunState["error"];
  readonly activeTasks: readonly ActiveTask[];
  readonly lastSeq: number;
}

/** What a run actor is told. */
export type RunMessage =
  /** First message of a new run. */
  | { readonly kind: "start"; readonly workflow: Workflow; readonly request: StartRun; readonly replyTo: ReplyTo<StartReply> | undefined }
  /** Anything that a run may be told; answered after the commit. */
  | { readonly kind: "command"; readonly command: RunCommand; readonly replyTo: ReplyTo<void> | undefined }
  | { readonly kind: "describe"; readonly replyTo: ReplyTo<RunSnapshot> }
  /** To itself: its state was read from the journal. */
  | { readonly kind: "loaded"; readonly outcome: Outcome<RunState> }
  /** To itself: what it wrote was committed, or was not. */
  | {
      readonly kind: "committed";
      readonly outcome: Outcome<void>;
      readonly effects: readonly Effect[];
      readonly reply: ((failure: MaestroError | undefined) => void) | undefined;
    }
  /** To itself: an evaluation was computed. */
  | { readonly kind: "evaluated"; readonly request: ExternalRequest; readonly outcome: Outcome<ExternalAnswer> };

/** What a shard actor is told: a message for one of its runs. */
export interface ShardMessage {
  readonly runId: RunId;
  readonly message: RunMessage;
}
