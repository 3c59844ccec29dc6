import assert from "node:assert/strict";
import { isHandlerModule } from "../../../runtime/workers/catalogue.ts";
import { defineTask, isTaskDefinition, optionsOf, type TaskDefinition } from "../../../runtime/workers/define-task.ts";
import { definitionFaults } from "../../../runtime/workers/definition-faults.ts";

const SOUND: TaskDefinition = { name: "build", run: () => null };

/** The faults of a definition with fields that its type forbids. */
function faultsOf(fields: Record<string, unknown>): string[] {
  return definitionFaults({ ...SOUND, ...fields } as TaskDefinition);
}

describe("task definition", () => {
  it("is frozen, and known as one even if another copy of the module made it", () => {
    const definition = defineTask(SOUND);
    assert.ok(Object.isFrozen(definition));
    assert.ok(isTaskDefinition(definition));
    assert.ok(isTaskDefinition(Object.create({ [Symbol.for("maestro.task")]: true })));
    assert.ok(!isTaskDefinition(SOUND));
    assert.ok(!isTaskDefinition(null));
  });

  it("has the thread tier and no bounds unless it says so", () => {
    assert.deepEqual(optionsOf(SOUND), { tier: "thread" });
    assert.deepEqual(optionsOf({ ...SOUND, tier: "process", heartbeatMs: 5, retry: { attempts: 2 } }), {
      tier: "process",
      heartbeatMs: 5,
      retry: { attempts: 2 },
    });
  });

  it("has no faults when it is sound", () => {
    assert.deepEqual(faultsOf({}), []);
    const retry = { attempts: 3, delayMs: 0, backoff: "linear", maxDelayMs: 10, jitter: 1 };
    assert.deepEqual(faultsOf({ tier: "process", startToCloseMs: 1, scheduleToStartMs: 1, heartbeatMs: 1, retry }), []);
    assert.deepEqual(faultsOf({ queue: "gpu-1", priority: 5, concurrency: { limit: 1 } }), []);
    assert.deepEqual(faultsOf({ concurrency: { key: "the printer", limit: 10_000 } }), []);
  });

  it("tells all faults at once, each with its field", () => {
    const retry = { attempts: 1.5, delayMs: -1, backoff: "random", jitter: 2, tries: 3 };
    const faults = faultsOf({ name: "1st", tier: "cloud", run: 1, startToCloseMs: 0, heartbeatMs: "5s", timeout: 1, retry });
    const fields = faults.map((fault) => fault.split(" ", 1)[0]);
    assert.deepEqual(fields.sort(), [
      "heartbeatMs",
      "name",
      "retry.attempts",
      "retry.backoff",
      "retry.delayMs",
      "retry.jitter",
      "retry.tries",
      "run",
      "startToCloseMs",
      "tier",
      "timeout",
    ]);
  });

  it("tells what is wrong with a queue, a priority and a limit", () => {
    const wrong = faultsOf({ queue: "a b", priority: 0, concurrency: { key: "", limit: 1.5, wait: true } });
    assert.deepEqual(
      wrong.map((fault) => fault.split(" ", 1)[0]),
      ["queue", "priority", "concurrency.key", "concurrency.limit", "concurrency.wait"],
    );
    assert.deepEqual(
      [5, {}, null].map((concurrency) => faultsOf({ concurrency })[0]?.split(" ", 1)[0]),
      ["concurrency", "concurrency.limit", "concurrency"],
    );
  });

  it("is looked for in modules only, not in tests, declarations and private files", () => {
    const names = ["a.ts", "a.mts", "a.js", "a.mjs", "a.test.ts", "a.d.ts", "a.d.mts", "_a.ts", ".a.js", "a.json", "a.cts", "README.md"];
    assert.deepEqual(names.filter(isHandlerModule), ["a.ts", "a.mts", "a.js", "a.mjs"]);
  });
});
