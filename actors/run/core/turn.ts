/**
 * One turn of a run: commands are decided one after the other, their facts are folded in, and after each the run goes on by itself as far as it can
 * without the world. The result says what to commit, what to do after the commit, and what to have computed first. Pure but for the state, which it owns.
 */
import { MaestroError } from "../../../runtime/errors.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { type CloudEvent, evolveAndTell } from "../../events/cloud-event.ts";
import { EvaluationPending, type ExternalRequest } from "../../language/expression.ts";
import { advance, advanceRun } from "./advance.ts";
import type { RunCommand } from "./command.ts";
import { decide } from "./decide.ts";
import { addEffectsOf, dispatchInTurn, dispatchOf, type Effect } from "./effects.ts";
import type { Entry, RunEvent } from "./entry.ts";
import type { Environment } from "./environment.ts";
import { evolve } from "./evolve.ts";
import type { Frame, RunState } from "./state.ts";

/** Shared by all entries: what is moved out of them is noted in copies. */
const NOTHING_MOVED: Entry["moved"] = [];

/** A step that waits for an evaluation. Without a frame it is the run's own: its input, its output or its end. */
export interface PendingStep {
  readonly frame: Frame | undefined;
  readonly request: ExternalRequest;
}

/** What came of a turn. */
export interface TurnResult {
  /** Facts to commit, in order. */
  readonly entries: Entry[];
  /** To be carried out after the commit. */
  readonly effects: Effect[];
  /** What the entries mean outside, to be published after the commit; empty if nobody wants to know. */
  readonly events: CloudEvent[];
  /** Steps that wait for an evaluation; when one is answered, the run is to be resumed. */
  readonly pending: PendingStep[];
  /** For each command that was taken, in order: why it was refused, or undefined. Commands after these were not looked at. */
  readonly answers: (MaestroError | undefined)[];
  /** The turn stopped at its bound and is to be resumed. */
  readonly unfinished: boolean;
}

/** Takes one turn. @throws InvariantBroken and the like; then the state is void. */
export function takeTurn(state: RunState, commands: readonly RunCommand[], environment: Environment): TurnResult {
  const turn = new Turn(state, environment);
  for (const command of commands) {
    turn.take(command);
    if (turn.unfinished) break;
  }
  return turn;
}

class Turn implements TurnResult {
  readonly entries: Entry[] = [];
  readonly effects: Effect[] = [];
  readonly events: CloudEvent[] = [];
  readonly pending: PendingStep[] = [];
  readonly answers: (MaestroError | undefined)[] = [];
  unfinished = false;
  readonly #state: RunState;
  readonly #environment: Environment;
  readonly #offsetMs: number;
  /** Steps of this turn that wait for an evaluation. */
  #blocked: Set<Frame | undefined> | undefined;

  constructor(state: RunState, environment: Environment) {
    this.#state = state;
    this.#environment = environment;
    this.#offsetMs = Math.max(0, environment.nowMs - state.createdAtMs);
  }

  take(command: RunCommand): void {
    try {
      this.#accept(decide(this.#state, command, this.#environment));
      this.answers.push(undefined);
    } catch (error) {
      if (!(error instanceof MaestroError)) throw error;
      this.answers.push(error);
      return;
    }
    this.#goOn();
  }

  #accept(events: readonly RunEvent[]): void {
    for (const event of events) {
      const entry: Entry = { offsetMs: this.#offsetMs, event, moved: NOTHING_MOVED };
      addEffectsOf(this.#state, event, this.effects);
      const { eventLevel } = this.#environment;
      if (eventLevel === undefined) evolve(this.#state, entry);
      else evolveAndTell(this.#state, entry, eventLevel, this.events);
      this.entries.push(entry);
      this.#dispatch(event);
    }
  }

  /** Steps until nothing is ready, everything that is ready waits for an evaluation, or the bound of a turn is reached. */
  #goOn(): void {
    const state = this.#state;
    while (state.status === "running") {
      if (this.entries.length >= LIMITS.eventsPerTurn) {
        this.unfinished = true;
        return;
      }
      const frame = state.ending === undefined ? this.#nextReady() : undefined;
      if (frame === undefined && this.#isBlocked(undefined)) return;
      const events = this.#step(frame);
      if (events === undefined) continue;
      if (events.length === 0) return;
      this.#accept(events);
    }
  }

  #nextReady(): Frame | undefined {
    for (const frame of this.#state.ready) {
      if (this.#isBlocked(frame)) continue;
      // Nothing begins any more below a fork that is decided.
      return decidedFork(frame) ?? frame;
    }
    return undefined;
  }

  #isBlocked(frame: Frame | undefined): boolean {
    return this.#blocked?.has(frame) === true || this.#environment.isBlocked(frame);
  }

  /** The next facts, or undefined if an evaluation is needed first. */
  #step(frame: Frame | undefined): readonly RunEvent[] | undefined {
    try {
      return frame === undefined ? advanceRun(this.#state, this.#environment) : advance(this.#state, this.#environment, frame);
    } catch (error) {
      if (!(error instanceof EvaluationPending)) throw error;
      this.pending.push({ frame, request: error.request });
      this.#blocked ??= new Set();
      this.#blocked.add(frame);
      return undefined;
    }
  }

  /** An attempt that this fact begins, or begins again. */
  #dispatch({ $case, value }: RunEvent): void {
    if ($case !== "attemptScheduled" && $case !== "attemptInterrupted" && $case !== "attemptIsolated") return;
    const frame = this.#state.frames.get(value.frame);
    if (frame !== undefined) this.effects.push($case === "attemptIsolated" ? dispatchInTurn(this.#state, frame) : dispatchOf(this.#state, frame));
  }
}

function decidedFork(frame: Frame): Frame | undefined {
  for (let above = frame.parent; above !== undefined; above = above.parent) {
    if (above.node.kind === "fork" && (above.phase === "finish" || above.phase === "fault")) return above;
  }
  return undefined;
}
