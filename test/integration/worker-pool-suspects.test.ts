import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Attempt, AttemptOutcome, Isolation, WorkerPool } from "../../runtime/workers/pool.ts";
import { waitUntil } from "../support/wait-until.ts";
import { attemptOf, errorOf, execute, resultOf } from "../support/worker-attempts.ts";
import { startTestPool, withHandlerModules } from "../support/worker-pools.ts";

const NEIGHBOURS = 10;
const SCORE = `
  import { readFileSync } from "node:fs";
  export const score = defineTask({ name: "score", tier: "thread", run: () => readFileSync("/proc/self/oom_score_adj", "utf8").trim() });`;

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

  it("are executed outside of the node, whatever their handler's tier", () =>
    use(async () => {
      assert.equal(await pidOf("tier"), process.pid);
      assert.notEqual(await pidOf("process"), process.pid);
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

describe("worker pool, a system that runs out of memory", () => {
  if (process.platform !== "linux") return;

  it("the child process is what a system without memory ends first", () =>
    withHandlerModules({ "score.ts": SCORE }, async (handlersFolder) => {
      const pool = await startTestPool({ handlersFolder });
      try {
        for (const isolation of ["tier", "process"] as const) {
          const score = Number(resultOf(await execute(pool, attemptOf("score", null, { isolation }))));
          assert.equal(score === 1_000, isolation !== "tier", `${isolation}: ${score}`);
        }
      } finally {
        await pool.stop(0);
      }
    }));
});
