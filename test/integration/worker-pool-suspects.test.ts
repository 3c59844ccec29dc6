import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Attempt, AttemptOutcome, Isolation, WorkerPool } from "../../runtime/workers/pool.ts";
import { waitUntil } from "../support/wait-until.ts";
import { attemptOf, errorOf, execute, resultOf } from "../support/worker-attempts.ts";
import { startTestPool, withHandlerModules } from "../support/worker-pools.ts";

const NEIGHBOURS = 10;

/** Executes an attempt as the dispatcher does: again as long as it is lost. */
async function executeUntilTold(pool: WorkerPool, attempt: Attempt): Promise<AttemptOutcome> {
  const outcome = await execute(pool, attempt);
  return outcome.kind === "failed" && outcome.error.kind === "lost" ? executeUntilTold(pool, attempt) : outcome;
}

describe("worker pool, attempts that are kept apart", () => {
  let pool: WorkerPool;
  const modules = {
    "where.ts": `
      export const where = defineTask({ name: "where", tier: "thread", run: () => process.pid });
      export const crash = defineTask({ name: "crash", tier: "thread", run: ({ pid }) => process.pid === pid ? "in the node" : process.kill(process.pid, "SIGSEGV") && new Promise(() => 0) });`,
  };
  const use = (test: () => Promise<void>): Promise<void> =>
    withHandlerModules(modules, async (handlersFolder) => {
      pool = await startTestPool({ handlersFolder });
      await test().finally(() => pool.stop(0));
    });
  const pidOf = async (isolation: Isolation): Promise<unknown> => resultOf(await execute(pool, attemptOf("where", null, { isolation })));

  it("are executed outside of the node, or in a process of their own, whatever their handler's tier", () =>
    use(async () => {
      const [tier, outside, alone] = await Promise.all([pidOf("tier"), pidOf("process"), pidOf("alone")]);
      assert.equal(tier, process.pid);
      assert.equal(new Set([tier, outside, alone]).size, 3);
    }));

  it("keep their handler out of the node once one of them has crashed", () =>
    use(async () => {
      const harmless = { pid: process.pid };
      assert.equal(resultOf(await execute(pool, attemptOf("crash", harmless))), "in the node");
      assert.equal(errorOf(await executeUntilTold(pool, attemptOf("crash", harmless, { isolation: "process" }))).kind, "crashed");
      assert.equal(errorOf(await executeUntilTold(pool, attemptOf("crash", harmless))).kind, "crashed");
      assert.equal(await pidOf("tier"), process.pid);
    }));
});

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
