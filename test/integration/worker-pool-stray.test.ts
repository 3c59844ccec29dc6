import assert from "node:assert/strict";
import { attemptOf, execute, resultOf } from "../support/worker-attempts.ts";
import { startTestPool, withHandlerModules } from "../support/worker-pools.ts";

const POSTING = `
import { parentPort } from "node:worker_threads";
const STRAY = [undefined, null, 1, "text", [], {}, { replies: 1 }, { acknowledged: 1, replies: [null] }, { acknowledged: 1, replies: [{ kind: "ended", id: 1 }] }];
export const post = defineTask({ name: "post", run() { for (const message of STRAY) parentPort.postMessage(message); return STRAY.length; } });
`;

describe("a handler that posts messages of its own to its parent thread", () => {
  for (const tier of ["thread", "process"]) {
    it(`disturbs nobody: ${tier}`, () =>
      withHandlerModules({ "post.ts": POSTING.replace("run()", `tier: "${tier}", run()`) }, async (handlersFolder) => {
        const pool = await startTestPool({ handlersFolder });
        try {
          assert.equal(resultOf(await execute(pool, attemptOf("post"))), 9);
          assert.equal(resultOf(await execute(pool, attemptOf("post"))), 9);
        } finally {
          await pool.stop(0);
        }
      }));
  }
});
