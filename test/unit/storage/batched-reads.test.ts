/** Readings that share queries: how many, of how much, and who hears of a failure. */
import assert from "node:assert/strict";
import { MaestroError } from "../../../runtime/errors.ts";
import { BatchedReads } from "../../../runtime/storage/batched-reads.ts";

/** Lets promises and deferred calls settle. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Query {
  readonly keys: readonly number[];
  answer(): void;
  fail(error: unknown): void;
}

function readsOf(keysPerQuery: number, queries: number) {
  const asked: Query[] = [];
  const reads = new BatchedReads<number, string>({
    ...{ keysPerQuery, queries },
    defer: queueMicrotask,
    ask: (keys) =>
      new Promise((resolve, reject) => {
        asked.push({ keys, answer: () => resolve(new Map(keys.filter((key) => key > 0).map((key) => [key, `value ${key}`]))), fail: reject });
      }),
  });
  return { reads, asked };
}

describe("batched reads", () => {
  it("asks at once when idle, and for all that was asked meanwhile when busy", async () => {
    const { reads, asked } = readsOf(10, 1);
    const first = Promise.all([reads.get(1), reads.get(2)]);
    await settled();
    const second = Promise.all([reads.get(3), reads.get(-4), reads.get(3)]);
    await settled();
    assert.deepEqual(
      asked.map(({ keys }) => keys),
      [[1, 2]],
    );
    asked[0]?.answer();
    assert.deepEqual(await first, ["value 1", "value 2"]);
    await settled();
    assert.deepEqual(asked[1]?.keys, [3, -4]);
    asked[1].answer();
    assert.deepEqual(await second, ["value 3", undefined, "value 3"]);
  });

  it("keeps to its bounds, in the order of the calls", async () => {
    const { reads, asked } = readsOf(2, 2);
    const all = Promise.all([1, 2, 3, 4, 5, 6, 7].map((key) => reads.get(key)));
    for (let next = 0; next < 4; next++) {
      await settled();
      assert.equal(asked.length, Math.min(next + 2, 4));
      asked[next]?.answer();
    }
    assert.equal((await all).length, 7);
    assert.deepEqual(
      asked.map(({ keys }) => keys),
      [[1, 2], [3, 4], [5, 6], [7]],
    );
  });

  it("asks again for a key whose answer is on its way: it may have changed since", async () => {
    const { reads, asked } = readsOf(2, 2);
    const first = reads.get(1);
    await settled();
    const second = reads.get(1);
    await settled();
    assert.equal(asked.length, 2);
    for (const query of asked) query.answer();
    assert.deepEqual(await Promise.all([first, second]), ["value 1", "value 1"]);
  });

  it("fails only the key that can't be read", async () => {
    const { reads, asked } = readsOf(8, 1);
    const broken = new Error("invalid page");
    const results = Promise.allSettled([1, 2, 3, 4, 5].map((key) => reads.get(key)));
    for (let next = 0; next < asked.length || next === 0; next++) {
      await settled();
      const query = asked[next];
      if (query?.keys.includes(4)) query.fail(broken);
      else query?.answer();
      await settled();
    }
    const texts = (await results).map((result) => (result.status === "fulfilled" ? result.value : result.reason));
    assert.deepEqual(texts, ["value 1", "value 2", "value 3", broken, "value 5"]);
  });

  it("tells all of them at once that the store can't be asked", async () => {
    const { reads, asked } = readsOf(8, 1);
    const results = Promise.allSettled([1, 2, 3].map((key) => reads.get(key)));
    await settled();
    asked[0]?.fail(new MaestroError("DATABASE_UNAVAILABLE", { facts: { address: "a", reason: "b" } }));
    assert.deepEqual(
      (await results).map(({ status }) => status),
      ["rejected", "rejected", "rejected"],
    );
    assert.equal(asked.length, 1);
  });
});
