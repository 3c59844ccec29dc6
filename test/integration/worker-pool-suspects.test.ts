import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Attempt, AttemptOutcome, WorkerPool } from "../../runtime/workers/pool.ts";
import { waitUntil } from "../support/wait-until.ts";
import { attemptOf, errorOf, execute } from "../support/worker-attempts.ts";
import { startTestPool } from "../support/worker-pools.ts";

const NEIGHBOURS = 10;

/** Executes an attempt as the dispatcher does: again as long as it is lost. */
async function executeUntilTold(pool: WorkerPool, attempt: Attempt): Promise<AttemptOutcome> {
  const outcome = await execute(pool, attempt);
  return outcome.kind === "failed" && outcome.error.kind === "lost" ? executeUntilTold(pool, attempt) : outcome;
}

describe("worker pool, a loss whose culprit nobody can name", () => {
  let pool: WorkerPool;

  before(async () => {
    const handlersFolder = fileURLToPath(new URL("../fixtures/rogue-handlers", import.meta.url));
    pool = await startTestPool({ handlersFolder, threads: 2, processThreadMemoryMb: 48 });
  });
  after(() => pool.stop(0));

  for (const guilty of ["dies-of-sigsegv", "eats-heap"]) {
    it(`fails only what does it: ${guilty}`, async () => {
      const calm = Array.from({ length: NEIGHBOURS }, () => executeUntilTold(pool, attemptOf("calm-process")));
      const rogue = executeUntilTold(pool, attemptOf(`${guilty}-process`));
      const kinds = (await Promise.all(calm)).map((outcome) => outcome.kind);
      assert.deepEqual([...new Set(kinds)], ["completed"]);
      assert.equal(errorOf(await rogue).kind, "crashed");
      await waitUntil("only the usual threads of both tiers to be left", () => pool.state.threads === 4);
    });
  }
});
