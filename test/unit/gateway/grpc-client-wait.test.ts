import assert from "node:assert/strict";
import { askPatiently } from "../../../gateway/grpc-client-wait.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { type ErrorCode, MaestroError } from "../../../runtime/errors.ts";
import { nextTurn } from "../../support/next-turn.ts";

describe("a patient question", () => {
  /** Asks; each time it takes `takesMs`, and fails with the next of `codes` until there is none. */
  async function ask(codes: readonly ErrorCode[], takesMs = 0, settings: { timeoutMs?: number; signal?: AbortSignal } = {}) {
    const clock = virtualClock();
    const left = [...codes];
    let asked = 0;
    const answer = askPatiently(
      async () => {
        asked++;
        clock.advance(takesMs);
        const code = left.shift();
        if (code !== undefined) throw new MaestroError(code);
        return "answer";
      },
      settings,
      clock,
    ).catch((error: MaestroError) => error.code);
    for (let turn = 0; turn < 3 * codes.length + 3; turn++) {
      await nextTurn();
      clock.advance(2_000);
    }
    return { answer: await answer, asked };
  }

  it("is asked again when the node that was asked goes away", async () => {
    assert.deepEqual(await ask([]), { answer: "answer", asked: 1 });
    assert.deepEqual(await ask(["NODE_STOPPING", "NODE_UNREACHABLE"]), { answer: "answer", asked: 3 });
  });

  it("is given up after eight failures in a row, unless each was waited for", async () => {
    const many = Array.from({ length: 20 }, () => "NODE_STOPPING" as const);
    assert.deepEqual(await ask(many), { answer: "NODE_STOPPING", asked: 8 });
    assert.deepEqual(await ask(many, 6_000), { answer: "answer", asked: 21 });
  });

  it("is not asked again for what that can't heal, nor beyond its deadline, nor once it was cancelled", async () => {
    assert.deepEqual(await ask(["RUN_NOT_FOUND"]), { answer: "RUN_NOT_FOUND", asked: 1 });
    assert.deepEqual(await ask(["NODE_STOPPING", "NODE_STOPPING"], 600, { timeoutMs: 1_000 }), { answer: "NODE_STOPPING", asked: 2 });
    assert.deepEqual(await ask(["NODE_STOPPING"], 0, { signal: AbortSignal.abort() }), { answer: "NODE_STOPPING", asked: 1 });
  });
});
