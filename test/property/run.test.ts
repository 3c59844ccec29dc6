/**
 * Random workflows under random fates. Whatever happens, the state is the fold of the history (RunWorld checks it after every turn), a run that has
 * not ended has a reason to wake up, a run that has ended has left nothing behind, and a run whose attempts, timers and signals all come does end.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { headOf } from "../../actors/run/core/head.ts";
import { MaestroError } from "../../runtime/errors.ts";
import type { AttemptOutcome, Isolation } from "../../runtime/workers/pool.ts";
import { compileText } from "../support/compile-document.ts";
import { RANDOM_SIGNALS, randomDocument } from "../support/random-workflow.ts";
import { RunWorld, thrown } from "../support/run-world.ts";

type Fate =
  | { readonly kind: "settle"; readonly pick: number; readonly outcome: AttemptOutcome }
  | { readonly kind: "advance"; readonly seconds: number }
  | { readonly kind: "signal"; readonly name: string }
  | { readonly kind: "cancel" }
  | { readonly kind: "loseNode" }
  | { readonly kind: "takeTurns" }
  | { readonly kind: "late"; readonly frame: number };

const outcome: fc.Arbitrary<AttemptOutcome> = fc.oneof(
  fc.jsonValue().map((value): AttemptOutcome => ({ kind: "completed", output: JSON.stringify(value) })),
  fc.constant(thrown()),
  fc.constant<AttemptOutcome>({ kind: "failed", error: { kind: "refused", message: "refused", status: 503 } }),
);

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("settle" as const), pick: fc.nat(7), outcome }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("advance" as const), seconds: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("signal" as const), name: fc.constantFrom(...RANDOM_SIGNALS) }) },
  { weight: 1, arbitrary: fc.constant<Fate>({ kind: "cancel" }) },
  { weight: 3, arbitrary: fc.constant<Fate>({ kind: "loseNode" }) },
  { weight: 3, arbitrary: fc.constant<Fate>({ kind: "takeTurns" }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("late" as const), frame: fc.nat(9) }) },
);

function meet(world: RunWorld, event: Fate): void {
  if (world.state.status !== "running") return;
  const attempts = [...world.underWay.values()];
  const picked = event.kind === "settle" ? attempts[event.pick % Math.max(1, attempts.length)] : undefined;
  if (event.kind === "settle" && picked !== undefined) world.settle(picked.call.path, event.outcome);
  if (event.kind === "advance") world.advance(event.seconds * 1_000);
  if (event.kind === "signal") world.tell({ kind: "signal", signal: { name: event.name, payload: "null", signalId: "" } });
  if (event.kind === "cancel") world.tell({ kind: "cancel", reason: "" });
  if (event.kind === "loseNode") world.loseNode();
  if (event.kind === "takeTurns") world.takeTurns();
  if (event.kind === "late") world.tell({ kind: "attemptEnded", frame: event.frame, attempt: 9, outcome: { kind: "completed", output: "0" } });
}

function checkInvariants(world: RunWorld): void {
  const { state } = world;
  const { wake } = headOf(state, world.nowMs);
  if (state.status !== "running") {
    assert.equal(wake, 0);
    const left = [world.underWay.size, world.waiting.size, world.timers.length, state.frames.size];
    assert.deepEqual(left, [0, 0, 0, 0], "an ended run leaves nothing behind");
    return;
  }
  assert.equal(world.pending.length, 0, "these documents need no external evaluation");
  assert.equal(state.ready.size, 0, "a turn ends when nothing is ready");
  const inFlight = world.underWay.size + world.waiting.size;
  assert.ok(inFlight + world.timers.length + state.awaiting > 0, "a run that goes on has a reason to wake up");
  assert.equal(state.inFlight, inFlight, "what is in flight was dispatched or waits for its turn, and nothing else");
  assert.equal((wake & 1) !== 0, inFlight > 0, "a run is ready if and only if an attempt is in flight");
  for (const { call, isolation } of world.underWay.values()) checkIsolation(world, call.frame, isolation);
}

/** What was under way when a node was lost is not executed inside a node before it has completed. */
function checkIsolation({ state }: RunWorld, frame: number, isolation: Isolation): void {
  const node = state.frames.get(frame)?.node.id ?? -1;
  assert.equal(isolation === "tier", !state.nodeLosses.has(node), `the attempt of frame ${frame} is executed as ${isolation}`);
}

/** Lets everything come that the run waits for. */
function bringToEnd(world: RunWorld): void {
  for (let round = 0; round < 500 && world.state.status === "running"; round += 1) {
    world.takeTurns();
    for (const { call } of [...world.underWay.values()]) {
      if (world.underWay.has(`${call.frame}:${call.attempt}`)) world.settle(call.path, { kind: "completed", output: "1" });
    }
    for (const name of RANDOM_SIGNALS) if (world.state.awaiting > 0 && world.state.status === "running") meet(world, { kind: "signal", name });
    if (world.underWay.size === 0 && world.state.awaiting === 0) world.advance(world.timers[0] ?? 0);
  }
}

describe("a run under random fates", () => {
  it("keeps its invariants and ends", async function () {
    this.timeout(120_000);
    const property = fc.asyncProperty(randomDocument(), fc.array(fate, { maxLength: 25 }), fc.nat(), async (document, fates, seed) => {
      const world = new RunWorld(await compileText(document), {}, seed);
      world.retry.set("charge", { attempts: 2, delayMs: 500 });
      world.start({ n: 1 });
      checkInvariants(world);
      for (const event of fates) {
        meet(world, event);
        checkInvariants(world);
      }
      bringToEnd(world);
      assert.notEqual(world.state.status, "running", "the run ends when everything comes that it waits for");
      checkInvariants(world);
      assert.throws(
        () => world.tell({ kind: "signal", signal: { name: "go", payload: "null", signalId: "" } }),
        (error) => error instanceof MaestroError && error.code === "RUN_ENDED",
      );
    });
    await fc.assert(property, { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 400) });
  });
});
