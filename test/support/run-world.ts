/**
 * One run without a node: the pure core driven by hand on a virtual clock. Attempts are answered by plain functions, timers fire when time is moved on.
 * After every turn the run is folded again from its encoded history, and the two states must be the same.
 */
import assert from "node:assert/strict";
import { type Json, Payload } from "../../actors/json.ts";
import type { ExternalAnswer, ExternalRequest } from "../../actors/language/expression.ts";
import type { Workflow } from "../../actors/language/model.ts";
import type { RunCommand } from "../../actors/run/core/command.ts";
import { type AttemptView, type Effect, effectsOfLoading } from "../../actors/run/core/effects.ts";
import { decodeEntries, type Entry, encodeEntries } from "../../actors/run/core/entry.ts";
import { evolve } from "../../actors/run/core/evolve.ts";
import { describe } from "../../actors/run/core/history.ts";
import { encodeSnapshot, parseSnapshot, restoreSnapshot } from "../../actors/run/core/snapshot.ts";
import { emptyRun, type Frame, type RunState } from "../../actors/run/core/state.ts";
import { takeTurn } from "../../actors/run/core/turn.ts";
import type { HistoryEntry } from "../../actors/runs.ts";
import { newRunId, type RunId } from "../../runtime/ids.ts";
import { type Random, seededRandom } from "../../runtime/random.ts";
import type { AttemptOutcome, Isolation, RetryOptions } from "../../runtime/workers/pool.ts";

/** What a handler of a test answers: an output, or how the attempt ended. "later": it stays under way. */
export type Answer = { readonly output: Json } | AttemptOutcome | "later";
/** A handler of a test. */
export type TestHandler = (input: Json, call: AttemptView) => Answer;

/** A failed attempt. */
export function thrown(message = "boom"): AttemptOutcome {
  return { kind: "failed", error: { kind: "thrown", message } };
}

/** See the file header. */
export class RunWorld {
  readonly runId: RunId;
  readonly state: RunState;
  readonly entries: Entry[] = [];
  readonly underWay = new Map<string, { readonly call: AttemptView; readonly input: Json; readonly isolation: Isolation }>();
  readonly abandoned: AttemptView["frame"][] = [];
  /** Attempts that wait for their turn, as `frame:attempt`, with how many may have theirs at the same time. */
  readonly waiting = new Map<string, number>();
  readonly retry = new Map<string, RetryOptions>();
  readonly answers = new Map<string, ExternalAnswer>();
  pending: readonly ExternalRequest[] = [];
  nowMs = Date.UTC(2026, 0, 1);
  readonly #workflow: Workflow;
  readonly #handlers: Readonly<Record<string, TestHandler>>;
  readonly #random: Random;
  readonly #timers = new Map<number, number>();

  constructor(workflow: Workflow, handlers: Readonly<Record<string, TestHandler>> = {}, seed = 1) {
    this.#workflow = workflow;
    this.#handlers = handlers;
    this.#random = seededRandom(seed);
    this.runId = newRunId(7, this.nowMs, this.#random);
    this.state = emptyRun(this.runId, "workflow-id", workflow);
  }

  /** Starts the run and answers attempts until none is left that can be answered. */
  start(input: Json = {}): this {
    const request = { workflowId: "workflow-id", input: Payload.of(input).text, userId: "tester", labels: {}, traceParent: "" };
    return this.tell({ kind: "start", request });
  }

  /** Takes a turn, then answers attempts until none is left that can be answered. */
  tell(command: RunCommand): this {
    this.turn(command);
    for (let next = this.#nextAttempt(); next !== undefined; next = this.#nextAttempt()) this.turn(next);
    return this;
  }

  /** Takes one turn only. */
  turn(command: RunCommand): void {
    const environment = {
      nowMs: this.nowMs,
      random: this.#random,
      retryOf: (handler: string) => this.retry.get(handler),
      isBlocked: () => false,
      answer: (request: ExternalRequest) => this.answers.get(request.source),
    };
    const result = takeTurn(this.state, [command], environment);
    const [refusal] = result.answers;
    if (refusal !== undefined) throw refusal;
    this.entries.push(...result.entries);
    this.pending = result.pending.map(({ request }) => request);
    for (const effect of result.effects) this.#perform(effect);
    assert.deepEqual(dump(this.refold()), dump(this.state), "the state must be the fold of the history");
    if (this.state.status === "running") {
      const parsed = parseSnapshot(encodeSnapshot(this.state));
      const restored = parsed && restoreSnapshot(this.runId, this.#workflow, parsed);
      assert.ok(restored !== undefined, "a snapshot must be readable");
      assert.deepEqual(dump(restored), dump(this.state), "a snapshot must hold the whole state");
    }
    if (result.unfinished) this.turn({ kind: "resume" });
  }

  /** Moves time on and fires what falls due, in order. */
  advance(durationMs: number): this {
    const endMs = this.nowMs + durationMs;
    for (;;) {
      const due = [...this.#timers].filter(([, dueAtMs]) => dueAtMs <= endMs).sort((a, b) => a[1] - b[1])[0];
      if (due === undefined) break;
      this.nowMs = Math.max(this.nowMs, due[1]);
      this.tell({ kind: "timerFired", timer: due[0] });
    }
    this.nowMs = endMs;
    return this;
  }

  /** Ends an attempt that was answered with "later". */
  settle(path: string, outcome: AttemptOutcome): this {
    const [id, attempt] = [...this.underWay].find(([, { call }]) => call.path === path) ?? [];
    assert.ok(id !== undefined && attempt !== undefined, `no attempt of ${path} is under way`);
    this.underWay.delete(id);
    return this.tell({ kind: "attemptEnded", frame: attempt.call.frame, attempt: attempt.call.attempt, outcome });
  }

  /** The node is lost with everything in its memory, and the next one takes the run over. `waiting`: frames whose attempts it had not begun to execute. */
  loseNode(waiting: ReadonlySet<number> = new Set()): this {
    this.underWay.clear();
    this.waiting.clear();
    for (const effect of effectsOfLoading(this.state, waiting)) this.#perform(effect);
    this.turn({ kind: "nodeLost", waiting });
    return this;
  }

  /** It is the turn of each attempt that waits for one. */
  takeTurns(): this {
    for (const id of [...this.waiting.keys()]) {
      const [frame = 0, attempt = 0] = id.split(":").map(Number);
      this.turn({ kind: "isolate", frame, attempt });
    }
    return this;
  }

  /** Timers that are set, by due time from now in milliseconds. */
  get timers(): readonly number[] {
    return [...this.#timers.values()].map((dueAtMs) => dueAtMs - this.nowMs).sort((a, b) => a - b);
  }

  /** The run's output as a value. */
  get output(): Json | undefined {
    return this.state.output?.value;
  }

  /** The history, as the outside sees it. */
  history(): readonly HistoryEntry[] {
    const state = emptyRun(this.runId, "workflow-id", this.#workflow);
    return this.entries.map((entry) => describe(state, entry));
  }

  /** Names of the facts with their paths, without those about attempts and starts. */
  trail(...types: string[]): readonly string[] {
    return this.history()
      .filter((entry) => types.includes(entry.type))
      .map((entry) => entry.path);
  }

  /** The state as a fresh fold of the encoded history. */
  refold(): RunState {
    const state = emptyRun(this.runId, "workflow-id", this.#workflow);
    for (const entry of decodeEntries(this.runId, 1, encodeEntries(this.entries))) evolve(state, entry);
    return state;
  }

  #perform(effect: Effect): void {
    if (effect.kind === "dispatch") {
      const { call, input, isolation } = effect;
      this.underWay.set(`${call.frame}:${call.attempt}`, { call, input: JSON.parse(input) as Json, isolation });
      this.waiting.delete(`${call.frame}:${call.attempt}`);
    }
    if (effect.kind === "awaitTurn") this.waiting.set(`${effect.call.frame}:${effect.call.attempt}`, effect.width);
    if (effect.kind === "abandon") {
      this.waiting.delete(`${effect.frame}:${effect.attempt}`);
      this.underWay.delete(`${effect.frame}:${effect.attempt}`);
      this.abandoned.push(effect.frame);
    }
    if (effect.kind === "setTimer") this.#timers.set(effect.timer, effect.dueAtMs);
    if (effect.kind === "clearTimer") this.#timers.delete(effect.timer);
  }

  #nextAttempt(): RunCommand | undefined {
    for (const [id, { call, input }] of this.underWay) {
      const answer = this.#handlers[call.handler]?.(input, call) ?? "later";
      if (answer === "later") continue;
      this.underWay.delete(id);
      const outcome: AttemptOutcome =
        "output" in answer && !("kind" in answer) ? { kind: "completed", output: Payload.of(answer.output).text } : answer;
      return { kind: "attemptEnded", frame: call.frame, attempt: call.attempt, outcome };
    }
    return undefined;
  }
}

/** Everything in a state, as plain data. */
function dump(state: RunState): unknown {
  const { workflow: _, frames, ready, timers, signals, undo, input, context, output, ending, ...rest } = state;
  return {
    ...rest,
    texts: [input.text, context.text, output?.text, ending?.text],
    frames: [...frames.values()].map(dumpFrame),
    ready: [...ready].map((frame) => frame.id),
    timers: [...timers.values()].map((timer) => ({ ...timer, frame: timer.frame.id })),
    signals: [...signals].map(([name, queue]) => [name, queue.map((payload) => payload.text)]),
    undo: undo.map(({ body, input: data }) => [body.id, data.text]),
  };
}

function dumpFrame(frame: Frame): unknown {
  const { node, parent, raw, input, data, request, items, outputs, context, children, ...rest } = frame;
  return {
    ...rest,
    ids: [node.id, parent?.id],
    texts: [raw.text, input.text, data.text, request?.text, items?.text, context?.text],
    outputs: outputs?.map((output) => output?.text),
    children: children.map((child) => child.id),
  };
}
