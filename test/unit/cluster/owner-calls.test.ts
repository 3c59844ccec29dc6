/** Calls to owners in a cluster of several versions. */
import assert from "node:assert/strict";
import type { ClusterMap } from "../../../actors/cluster/cluster-map.ts";
import { OwnerCalls, type OwnerCallsOptions } from "../../../actors/cluster/owner-calls.ts";
import { RunAnswer } from "../../../proto/gen/maestro/cluster/v1/run_call.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { DIALECT, FIRST_DIALECT } from "../../../runtime/dialect.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { newBootId, newRunId } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { MemoryOwnership } from "../../../runtime/storage/memory-ownership.ts";
import { MemoryStore } from "../../../runtime/storage/memory-store.ts";

describe("a call that not every version understands", () => {
  it("is sent once all members do, and not before, whoever owns the run", async () => {
    const random = seededRandom(1);
    const clock = virtualClock();
    const table = new MemoryOwnership(new MemoryStore(clock));
    const [owner, self, older] = [newBootId(random), newBootId(random), newBootId(random)];
    for (const [place, bootId] of [owner, self, older].entries())
      await table.join({ bootId, nodeName: `n${place}`, lanes: 1, leaseMs: 60_000, dialect: bootId === older ? FIRST_DIALECT : DIALECT });
    let view = await table.view();
    const map: ClusterMap = {
      self,
      get view() {
        return view;
      },
      loadOf: () => 0,
      onChange: () => () => undefined,
      noteVersion: () => undefined,
    };
    const sent: string[] = [];
    const bus = {
      status: { state: "connected", sinceMs: 0 } as const,
      trouble: undefined,
      request: async (subject: string) => {
        sent.push(subject);
        const payload = RunAnswer.encode({ answer: { $case: "notYet", value: {} } }).finish();
        return { subject, payload, headers: {} };
      },
    };
    const dialects = { start: 1, commands: 1, describe: DIALECT, awaitOutcome: 1, awaitGrowth: 1, part: 1 };
    const calls = new OwnerCalls({ bus, clock, map, subject: (bootId) => bootId, random, dialects });
    const ask = (kind: "describe" | "awaitOutcome") => calls.ask(newRunId(7, clock.now(), random), { $case: kind, value: {} }, { timeoutMs: 1_000 });
    const refused = await ask("describe");
    assert.deepEqual([refused.kind === "failed" && refused.error.code, sent], ["CALL_UNKNOWN", []]);
    assert.equal((await ask("awaitOutcome")).kind, "answer");
    await table.leave(older);
    view = await table.view();
    assert.deepEqual([(await ask("describe")).kind, sent], ["answer", [owner, owner]]);
    calls.close();
  });
});

describe("a call that is under way", () => {
  it("is given up at once when its run has another owner, as one that may have been carried out", async () => {
    const random = seededRandom(1);
    const clock = virtualClock();
    const table = new MemoryOwnership(new MemoryStore(clock));
    const [owner, self] = [newBootId(random), newBootId(random)];
    for (const bootId of [owner, self]) await table.join({ bootId, nodeName: bootId, lanes: 1, leaseMs: 60_000, dialect: DIALECT });
    let view = await table.view();
    const listeners = new Set<() => void>();
    const map: ClusterMap = {
      self,
      get view() {
        return view;
      },
      loadOf: () => 0,
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      noteVersion: () => undefined,
    };
    const isUnanswered = (signal: AbortSignal | undefined): Promise<never> =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new MaestroError("REQUEST_CANCELLED"))));
    const bus: OwnerCallsOptions["bus"] = {
      status: { state: "connected", sinceMs: 0 },
      trouble: undefined,
      request: (_subject, _payload, { signal }) => isUnanswered(signal),
    };
    const calls = new OwnerCalls({ bus, clock, map, subject: (bootId) => bootId, random });
    const [moved, stays] = [7, 8].map((shard) =>
      calls.ask(newRunId(shard, clock.now(), random), { $case: "describe", value: {} }, { timeoutMs: 60_000 }),
    );
    assert.equal(calls.count, 2);
    await table.release(owner, new Map([[7, view.epochOf(7)]]));
    view = await table.view();
    for (const tell of listeners) tell();
    assert.deepEqual(await moved, { kind: "trouble", mayBeDone: true });
    assert.equal(calls.count, 1);
    calls.close();
    assert.deepEqual(await stays, { kind: "trouble", mayBeDone: true });
  });
});
