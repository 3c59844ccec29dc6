/**
 * One turn of a run: a command is decided, its facts are folded in, and the run goes on by itself as far as it can without the world. The result
 * says what to commit, what to do after the commit, and what to have computed first. Pure but for the state, which it owns.
 */
import { timeOf } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { EvaluationPending, type ExternalRequest } from "../language/expression.ts";
import { advance, advanceRun } from "./advance.ts";
import type { RunCommand } from "./command.ts";
import { decide } from "./decide.ts";
import { dispatchOf, type Effect, effectsOf } from "./effects.ts";
import type { Entry, RunEvent } from "./entry.ts";
import type { Environment } from "./environment.ts";
import { evolve } from "./evolve.ts";
import type { Frame, RunState } from "./state.ts";

/** What came of a turn. */
export interface TurnResult {
  /** Facts to commit, in order. */
  readonly entries: Entry[];
  /** To be carried out after the commit. */
  readonly effects: Effect[];
  /** Evaluations that steps wait for; when one is answered, the run is to be resumed. */
  readonly pending: ExternalRequest[];
  /** The turn stopped at its bound and is to be resumed. */
  readonly unfinished: boolean;
}

/** Takes one turn. @throws what `decide` throws; then nothing has changed. */
export function takeTurn(state: RunState, command: RunCommand, environment: Environment): TurnResult {
  const turn = new Turn(state, environment);
  turn.accept(decide(state, command, environment));
  turn.goOn();
  return turn;
}

class Turn implements TurnResult {
  readonly entries: Entry[] = [];
  readonly effects: Effect[] = [];
  readonly pending: ExternalRequest[] = [];
  unfinished = false;
  readonly #state: RunState;
  readonly #environment: Environment;
  readonly #offsetMs: number;
  readonly #blocked = new Set<Frame>();

  constructor(state: RunState, environment: Environment) {
    this.#state = state;
    this.#environment = environment;
    this.#offsetMs = Math.max(0, environment.nowMs - timeOf(state.runId));
  }

  accept(events: readonly RunEvent[]): void {
    for (const event of events) {
      const entry: Entry = { offsetMs: this.#offsetMs, event };
      this.effects.push(...effectsOf(this.#state, event));
      evolve(this.#state, entry);
      this.entries.push(entry);
      if (event.$case === "attemptScheduled") this.#dispatch(event.value.frame);
    }
  }

  /** Steps until nothing is ready, everything that is ready waits for an evaluation, or the bound of a turn is reached. */
  goOn(): void {
    const state = this.#state;
    while (state.status === "running") {
      if (this.entries.length >= LIMITS.eventsPerTurn) {
        this.unfinished = true;
        return;
      }
      const frame = state.ending === undefined ? this.#nextReady() : undefined;
      if (frame === undefined && this.#blocked.size > 0 && state.ending === undefined) return;
      const events = this.#try(frame);
      if (events === undefined) continue;
      if (events.length === 0) return;
      this.accept(events);
    }
  }

  #nextReady(): Frame | undefined {
    for (const frame of this.#state.ready) if (!this.#blocked.has(frame)) return frame;
    return undefined;
  }

  /** The next facts, or undefined if an evaluation is needed first. */
  #try(frame: Frame | undefined): readonly RunEvent[] | undefined {
    try {
      return frame === undefined ? advanceRun(this.#state, this.#environment) : advance(this.#state, this.#environment, frame);
    } catch (error) {
      if (!(error instanceof EvaluationPending)) throw error;
      this.pending.push(error.request);
      if (frame === undefined) return [];
      this.#blocked.add(frame);
      return undefined;
    }
  }

  #dispatch(id: number): void {
    const frame = this.#state.frames.get(id);
    if (frame !== undefined) this.effects.push(dispatchOf(frame));
  }
}
