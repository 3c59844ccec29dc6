import assert from "node:assert/strict";
import type { Workflow } from "../../../actors/language/model.ts";
import { WorkflowCache } from "../../../actors/language/workflow-cache.ts";
import { compileText, HEAD } from "../../support/compile-document.ts";

describe("the cache of compiled workflows", () => {
  let workflow: Workflow;
  let loaded: string[];
  const load = async (id: string): Promise<Workflow> => {
    loaded.push(id);
    if (id === "bad") throw new Error("no such version");
    return workflow;
  };

  before(async () => {
    workflow = await compileText(`${HEAD}do: []`);
  });
  beforeEach(() => {
    loaded = [];
  });

  it("loads once, also for callers that come while it loads", async () => {
    const cache = new WorkflowCache(load);
    const [first, second] = await Promise.all([cache.get("a"), cache.get("a")]);
    assert.equal(first, second);
    assert.equal(await cache.get("a"), first);
    assert.equal(cache.peek("a"), first);
    assert.deepEqual(loaded, ["a"]);
  });

  it("drops the longest unused when it is full", async () => {
    const cache = new WorkflowCache(load, 2);
    await cache.get("a");
    await cache.get("b");
    await cache.get("a");
    await cache.get("c");
    assert.equal(cache.size, 2);
    assert.equal(cache.peek("b"), undefined);
    assert.ok(cache.peek("a"));
    assert.ok(cache.peek("c"));
  });

  it("tells every waiting caller of a failure, and tries again the next time", async () => {
    const cache = new WorkflowCache(load);
    const outcomes = await Promise.allSettled([cache.get("bad"), cache.get("bad")]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["rejected", "rejected"],
    );
    await assert.rejects(cache.get("bad"), /no such version/);
    assert.deepEqual(loaded, ["bad", "bad"]);
  });

  it("survives a loader that throws at once", async () => {
    let calls = 0;
    const cache = new WorkflowCache(() => {
      calls += 1;
      throw new Error("at once");
    });
    await assert.rejects(cache.get("a"), /at once/);
    await assert.rejects(cache.get("a"), /at once/);
    assert.equal(calls, 2);
  });

  it("keeps what was put", async () => {
    const cache = new WorkflowCache(load);
    cache.put("a", workflow);
    assert.equal(await cache.get("a"), workflow);
    assert.deepEqual(loaded, []);
  });
});
