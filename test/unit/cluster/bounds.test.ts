/** What a node takes of calls between nodes is bounded, and what is beyond that is refused with the time to come back. */
import assert from "node:assert/strict";
import type { ClusterMap } from "../../../actors/cluster/cluster-map.ts";
import { CommandLines, type CommandResult } from "../../../actors/cluster/command-lines.ts";
import { RunServer } from "../../../actors/cluster/run-server.ts";
import type { LocalRuns } from "../../../actors/run/local-runs.ts";
import { RunAnswer, RunCall } from "../../../proto/gen/maestro/cluster/v1/run_call.ts";
import type { Bus, RequestHandler } from "../../../runtime/bus/bus.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { newBootId, newRunId, SHARD_COUNT } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { nextTurn } from "../../support/next-turn.ts";

const random = seededRandom(1);
const clock = virtualClock();
const aRunId = (place = 7) => newRunId(place % SHARD_COUNT, clock.now(), random);

describe("an owner that is asked by other nodes", () => {
  type Kind = "describe" | "awaitOutcome";
  const never = (): Promise<never> => new Promise(() => undefined);

  /** A server of runs that answer nothing, and a way to ask it. */
  const startServer = () => {
    let serve: RequestHandler = never;
    const respond: Bus["respond"] = (subject, responder) => {
      serve = responder;
      return { subject, close: () => undefined };
    };
    const map = { self: newBootId(random) } as ClusterMap;
    const local = { get: never, outcome: never } as unknown as LocalRuns;
    new RunServer({ bus: { respond }, map, subject: (bootId) => bootId, clock, local }).start();
    return async (kind: Kind): Promise<RunAnswer["answer"]> => {
      const payload = RunCall.encode({ runId: aRunId(), timeoutMs: 1_000, call: { $case: kind, value: {} } }).finish();
      return RunAnswer.decode((await serve({ subject: "", payload, headers: {} })).payload).answer;
    };
  };

  const bounds: readonly (readonly [kind: Kind, bound: number, other: Kind])[] = [
    ["describe", LIMITS.servedCalls, "awaitOutcome"],
    ["awaitOutcome", LIMITS.servedWaits, "describe"],
  ];
  for (const [kind, bound, other] of bounds) {
    it(`has so many calls of the kind ${kind} under way, and goes on taking others`, async () => {
      const ask = startServer();
      let answered = 0;
      const count = (): void => {
        answered += 1;
      };
      for (let asked = 0; asked < bound; asked++) ask(kind).then(count, count);
      ask(other).then(count, count);
      await nextTurn();
      assert.equal(answered, 0);
      const refused = await ask(kind);
      assert.ok(refused?.$case === "failure");
      assert.deepEqual([refused.value.code, refused.value.retryAfterMs], ["NODE_OVERLOADED", 1_000]);
    });
  }
});

describe("a node with commands for runs of others", () => {
  it("has so many under way, and takes another one when one was answered", async () => {
    const answers: (() => void)[] = [];
    const lines = new CommandLines({
      ...{ clock, timeoutMs: 60_000, pause: nextTurn },
      deliver: () => new Promise<readonly CommandResult[]>((resolve) => answers.push(() => resolve(["done"]))),
    });
    const add = (place: number): Promise<void> => lines.add(aRunId(place), { kind: "signal", signal: { name: "go", payload: "1", signalId: "id" } });
    const added = Array.from({ length: LIMITS.routedCommands }, (_, place) => add(place));
    const isRefusal = (error: unknown): boolean => error instanceof MaestroError && error.code === "ASKS_FULL" && error.retryAfterMs === 1_000;
    await assert.rejects(add(0), isRefusal);
    answers[0]?.();
    await added[0];
    added.push(add(0));
    await assert.rejects(add(0), isRefusal);
    for (const answer of answers) answer();
    await Promise.all(added);
  });
});
