/** What a run can hold is bounded: the pure core, driven without the checks of `RunWorld`, which would take long on so many facts. */
import assert from "node:assert/strict";
import { type Json, Payload } from "../../../actors/json.ts";
import type { RunCommand } from "../../../actors/run/core/command.ts";
import { headOf } from "../../../actors/run/core/head.ts";
import { encodeSnapshot, parseSnapshot, restoreSnapshot } from "../../../actors/run/core/snapshot.ts";
import { emptyRun, type RunState } from "../../../actors/run/core/state.ts";
import { takeTurn } from "../../../actors/run/core/turn.ts";
import type { MaestroError } from "../../../runtime/errors.ts";
import { newRunId } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { WAKE } from "../../../runtime/storage/journal.ts";
import { compileText, HEAD } from "../../support/compile-document.ts";

/** A run of a document, which is told commands and goes on as far as it can. */
async function begin(body: string, input: Json): Promise<{ readonly state: RunState; tell(command: RunCommand): MaestroError | undefined }> {
  const random = seededRandom(1);
  const workflow = await compileText(HEAD + body);
  const state = emptyRun(newRunId(1, 0, random), "w", workflow);
  const environment = { nowMs: 0, random, retryOf: () => undefined, isBlocked: () => false, answer: () => undefined };
  const tell = (command: RunCommand): MaestroError | undefined => {
    const { answers, unfinished } = takeTurn(state, [command], environment);
    if (unfinished) tell({ kind: "resume" });
    return answers[0];
  };
  tell({ kind: "start", request: { workflowId: "w", input: Payload.of(input).text, userId: "", labels: {}, traceParent: "" } });
  return { state, tell };
}

const compensated = (task: string): string => `{ ${task}, metadata: { compensate: [{ undo: { set: { a: 1 } } }] } }`;

describe("the list of tasks to undo", () => {
  it("takes as many as its bound, and the next task fails before it does anything", async () => {
    const loop = (count: number): string =>
      `do: [{ all: { for: { in: '\${ [range(${count})] }' }, do: [{ one: ${compensated("set: { n: 1 }")} }] } }, { last: { call: signal@default, with: { name: go } } }]`;
    const { state } = await begin(loop(LIMITS.undoPerRun), {});
    assert.deepEqual([state.status, state.undo.length, state.undoable], ["running", LIMITS.undoPerRun, 0]);
    assert.equal(
      state.undoChars,
      state.undo.reduce((sum, { input }) => sum + input.text.length, 0),
    );
    const { state: over } = await begin(loop(LIMITS.undoPerRun + 1), {});
    assert.deepEqual([over.status, over.undo.length, over.undoChars], ["failed", 0, 0]);
    assert.match(over.error?.detail ?? "", /has 10000 completed tasks to undo.*compensate groups of tasks/);
  });

  it("counts tasks that are under way, and gives their place back when they fail", async () => {
    const branch = `{ one: ${compensated("call: charge@default")} }, { two: ${compensated("call: ship@default")} }`;
    const { state, tell } = await begin(`do: [{ safe: { try: [{ both: { fork: { branches: [${branch}] } } }], catch: {} } }]`, {});
    assert.equal(state.undoable, 2);
    const restored = restoreSnapshot(state.runId, state.workflow, parseSnapshot(encodeSnapshot(state)) ?? assert.fail("a snapshot"));
    assert.equal(restored?.undoable, 2);
    const [call] = [...state.frames.values()].filter(({ node }) => node.kind === "call");
    tell({ kind: "attemptEnded", frame: call?.id ?? 0, attempt: 1, outcome: { kind: "failed", error: { kind: "thrown", message: "no" } } });
    assert.deepEqual([state.status, state.undoable, state.undo.length], ["completed", 0, 0]);
  });

  it("takes as many characters as its bound", async () => {
    const body = `do: [{ all: { for: { in: '\${ [range(40)] }' }, do: [{ one: ${compensated("set: '${ . }'")} }] } }]`;
    const { state } = await begin(body, "x".repeat(LIMITS.payloadBytes - 2));
    assert.equal(state.status, "failed");
    assert.match(state.error?.detail ?? "", /give tasks with a compensation less data/);
  });

  it("keeps the first error of an undoing whole, and of the others what they are", async () => {
    const bad = `{ bad: { raise: { error: { type: 'https://example.org/x', status: 500, detail: '\${ .input }' } } } }`;
    const task = `{ set: '\${ . }', metadata: { compensate: [${bad}] } }`;
    const { state, tell } = await begin(
      `do: [{ one: ${task} }, { two: ${task} }, { wait: { call: signal@default, with: { name: go } } }]`,
      "x".repeat(1_000),
    );
    tell({ kind: "cancel", reason: "" });
    assert.deepEqual(
      state.undoErrors.map(({ detail }) => detail?.length),
      [1_000, undefined],
    );
  });
});

describe("signals that a run keeps", () => {
  it("are refused above a number of characters, until some are consumed", async () => {
    const { state, tell } = await begin("do: [{ one: { call: signal@default, with: { name: go } } }, { two: { wait: { hours: 1 } } }]", {});
    const payload = JSON.stringify("x".repeat(LIMITS.payloadBytes - 2));
    const send = (name: string): string | undefined => tell({ kind: "signal", signal: { name, payload, signalId: "" } })?.code;
    const most = LIMITS.bufferedSignalChars / payload.length;
    for (let index = 0; index < most; index += 1) assert.equal(send("other"), undefined);
    assert.equal(send("other"), "NODE_OVERLOADED");
    assert.equal(state.signalChars, most * payload.length);
    assert.equal(state.signals.get("other")?.length, most);
  });

  it("are counted until they are consumed", async () => {
    const wait = "{ go: { call: signal@default, with: { name: go } } }";
    const branch = `{ a: { do: [{ x: { wait: { hours: 1 } } }, ${wait}] } }`;
    const { state, tell } = await begin(`do: [{ one: ${compensated("set: { a: 1 }")} }, { f: { fork: { branches: [${branch}] } } }]`, {});
    tell({ kind: "signal", signal: { name: "go", payload: "12345", signalId: "" } });
    assert.deepEqual([state.signalCount, state.signalChars], [1, 5]);
    tell({ kind: "timerFired", timer: 1 });
    assert.deepEqual([state.status, state.signalCount, state.signalChars], ["completed", 0, 0]);
  });
});

describe("the outputs of a fork's branches", () => {
  const large = "x".repeat(LIMITS.payloadBytes - 2);
  const body = (task: string): string => {
    const branches = Array.from({ length: 9 }, (_, index) => `{ b${index}: ${task} }`).join(", ");
    return `do: [{ all: { fork: { branches: [${branches}] } } }]`;
  };

  it("come to a bounded size together, however they are made: set, skipped, called", async () => {
    for (const task of ["{ set: '${ . }' }", '{ if: "false", set: { a: 1 } }']) {
      const { state } = await begin(body(task), large);
      assert.deepEqual([state.status, state.error?.status], ["failed", 400], task);
      assert.match(state.error?.detail ?? "", /the outputs of the branches of \/do\/0\/all have more than 16777216 characters/);
    }
    const { state, tell } = await begin(body("{ call: charge@default }"), 1);
    const frames = [...state.frames.values()].filter(({ node }) => node.kind === "call").map(({ id }) => id);
    const outcome = { kind: "completed", output: JSON.stringify(large) } as const;
    for (const frame of frames) tell({ kind: "attemptEnded", frame, attempt: 1, outcome });
    assert.match(state.error?.detail ?? "", /keep large data elsewhere/);
  });

  it("may be large one by one, and small in any number", async () => {
    const { state } = await begin(`${body("{ set: '${ . }' }")}\noutput: { as: length }`, "x".repeat(1_000_000));
    assert.deepEqual([state.status, state.output?.value], ["completed", 9]);
  });
});

describe("the output of a run", () => {
  it("has at most as many bytes as a payload", async () => {
    const body = "do: [{ one: { set: '${ . + . }' } }]";
    const { state } = await begin(body, "ü".repeat(LIMITS.payloadBytes / 4 - 1));
    assert.equal(state.status, "completed");
    const { state: larger } = await begin(body, "ü".repeat(LIMITS.payloadBytes / 4));
    assert.equal(larger.status, "failed");
    assert.match(larger.error?.detail ?? "", /the output of the run has 2097154 bytes; at most 2097152 are taken/);
  });
});

describe("a run whose turn stops at its bound", () => {
  it("is ready by its row, beside the timer that it waits for: whoever takes it over goes on with it", async () => {
    const body = "do: [{ all: { for: { in: '${ [range(2000)] }' }, do: [{ one: { set: { a: 1 } } }], timeout: { after: { hours: 1 } } } }]";
    const state = emptyRun(newRunId(1, 0, seededRandom(1)), "w", await compileText(HEAD + body));
    const environment = { nowMs: 0, random: seededRandom(1), retryOf: () => undefined, isBlocked: () => false, answer: () => undefined };
    const request = { workflowId: "w", input: "{}", userId: "", labels: {}, traceParent: "" };
    assert.equal(takeTurn(state, [{ kind: "start", request }], environment).unfinished, true);
    assert.deepEqual(headOf(state, 0), { status: "running", wake: WAKE.ready | WAKE.timer });
  });
});
