import assert from "node:assert/strict";
import { join } from "node:path";
import { MaestroError } from "../../runtime/errors.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { attemptOf, execute, resultOf } from "../support/worker-attempts.ts";
import { startTestPool, withHandlerModules } from "../support/worker-pools.ts";

describe("worker pool, its start and stop", () => {
  const refuses = (modules: Record<string, string>, file: string, reason: RegExp) =>
    withHandlerModules(modules, (folder) =>
      assert.rejects(startTestPool({ handlersFolder: folder }), (error) => {
        assert.ok(error instanceof MaestroError && error.code === "HANDLER_INVALID");
        assert.equal(error.facts.file, join(folder, file));
        assert.match(String(error.facts.reason), reason);
        return true;
      }),
    );

  it("has the built-in handlers without a folder", async () => {
    const pool = await startTestPool({ handlersFolder: "" });
    assert.deepEqual([...pool.handlers.keys()], ["http", "shell"]);
    assert.equal(pool.handlers.get("shell")?.options.tier, "process");
    await pool.stop(0);
  });

  it("tells what each module defines", async () => {
    const modules = {
      "a.ts": "export const one = defineTask({ name: 'one', startToCloseMs: 5, run: (): number => 1 });",
      "b.mjs": "export default defineTask({ name: 'two', tier: 'process', run: () => 2 });",
      "_private.ts": "throw new Error('must not be loaded');",
      "a.test.ts": "throw new Error('must not be loaded');",
    };
    await withHandlerModules(modules, async (folder) => {
      const pool = await startTestPool({ handlersFolder: folder });
      assert.deepEqual(pool.handlers.get("one"), { name: "one", file: join(folder, "a.ts"), options: { tier: "thread", startToCloseMs: 5 } });
      assert.equal(pool.handlers.get("two")?.options.tier, "process");
      await pool.stop(0);
    });
  });

  it("refuses two handlers of one name, naming both files", () => {
    const task = "export default defineTask({ name: 'same', run: () => 1 });";
    return refuses({ "a.ts": task, "b.ts": task }, "b.ts", /same is also defined in .*a\.ts/);
  });

  it("refuses a handler with the name of a built-in one", () =>
    refuses({ "a.ts": "export default defineTask({ name: 'http', run: () => 1 });" }, "a.ts", /http is built in/));

  it("refuses a handler with a name that is reserved", () =>
    refuses({ "a.ts": "export default defineTask({ name: 'signal', run: () => 1 });" }, "a.ts", /signal is reserved/));

  it("refuses a module that does not load", () => refuses({ "a.ts": "throw new Error('at load');" }, "a.ts", /at load/));

  it("refuses a module that is not valid TypeScript", () => refuses({ "a.ts": "export const = 1;" }, "a.ts", /\S/));

  it("refuses a module that its package declares to be none, and says what to declare", () =>
    refuses({ "a.ts": "export default 1;", "package.json": '{ "type": "commonjs" }' }, "a.ts", /"type": "module"/));

  it("refuses a module without handlers", () => refuses({ "a.ts": "export const number = 1;" }, "a.ts", /no handler made with defineTask/));

  it("refuses a definition with faults, telling all", () =>
    refuses({ "a.ts": "export default defineTask({ name: '!', tier: 'moon', run: () => 1 });" }, "a.ts", /name must .*; .*tier must/));

  it("refuses a folder that does not exist", () =>
    assert.rejects(startTestPool({ handlersFolder: "/does/not/exist" }), (error) => {
      return error instanceof MaestroError && error.facts.file === "/does/not/exist" && /ENOENT/.test(String(error.facts.reason));
    }));

  it("refuses a module that ends its thread while it is loaded", () =>
    withHandlerModules({ "a.ts": "process.exit(7);" }, (folder) =>
      assert.rejects(startTestPool({ handlersFolder: folder }), /ended while it loaded them: .*code 7/),
    ));

  it("refuses what exceeds the queue, and takes it later", async () => {
    const pool = await startTestPool({ queueLength: 1 });
    const filling = Array.from({ length: LIMITS.tasksPerThread + 1 }, () => attemptOf("wait-for-cancel"));
    const filled = filling.map((attempt) => execute(pool, attempt));
    assert.throws(
      () => pool.submit(attemptOf("noop"), () => undefined),
      (error) => error instanceof MaestroError && error.code === "TASK_QUEUE_FULL",
    );
    for (const attempt of filling) pool.cancel(attempt.id);
    await Promise.all(filled);
    assert.equal((await execute(pool, attemptOf("noop"))).kind, "completed");
    await pool.stop(0);
  });

  it("stops at the latest after the grace, and settles what is left as cancelled", async () => {
    const pool = await startTestPool();
    const left = execute(pool, attemptOf("never-ends"));
    const loop = execute(pool, attemptOf("loop-forever"));
    await pool.stop(100);
    assert.deepEqual([await left, await loop], [{ kind: "cancelled" }, { kind: "cancelled" }]);
    assert.throws(
      () => pool.submit(attemptOf("noop"), () => undefined),
      (error) => error instanceof MaestroError && error.code === "NODE_STOPPING",
    );
  });

  it("stops as soon as nothing is under way", async () => {
    const pool = await startTestPool();
    const echo = execute(pool, attemptOf("echo", 1));
    await pool.stop(60_000);
    assert.equal(resultOf(await echo), 1);
  });

  it("lets two pools live in one process", async () => {
    const pools = await Promise.all([startTestPool(), startTestPool()]);
    const outcomes = await Promise.all(pools.map((pool, index) => execute(pool, attemptOf("echo", index))));
    assert.deepEqual(outcomes.map(resultOf), [0, 1]);
    await Promise.all(pools.map((pool) => pool.stop(0)));
  });
});
