/** What every object store must do. */
import assert from "node:assert/strict";
import type { ObjectStore } from "../../runtime/storage/object-store.ts";
import { runIdOn } from "../support/run-writes.ts";

/** An empty store, and a way to spoil what it holds. */
export interface ObjectBed {
  readonly store: ObjectStore;
  /** Turns a bit of an object. */
  damage(runId: ReturnType<typeof runIdOn>, name: string): Promise<void>;
}

/** Declares the suite. */
export function objectStoreConformance(makeBed: () => Promise<ObjectBed>): void {
  const bytes = Buffer.from("x".repeat(300_000));

  it("keeps an object under the name of its content", async () => {
    const { store } = await makeBed();
    const runId = runIdOn();
    const name = await store.put(runId, bytes);
    assert.equal(name, "29927e273accc68286005017f7fa6e4f27bddb4db3083ff8b8d4c3667905b7fa");
    assert.deepEqual(Buffer.from((await store.get(runId, name)) ?? []), bytes);
    assert.equal(await store.put(runId, bytes), name);
    assert.notEqual(await store.put(runId, Buffer.from("y")), name);
  });

  it("answers nothing for what is not there, belongs to another run, or has no name of an object", async () => {
    const { store } = await makeBed();
    const runId = runIdOn();
    const name = await store.put(runId, bytes);
    assert.equal(await store.get(runIdOn(), name), undefined);
    for (const wrong of ["0".repeat(64), "../../etc/passwd", ""]) assert.equal(await store.get(runId, wrong), undefined);
  });

  it("notices an object that was damaged, and mends it when it is stored again", async () => {
    const { store, damage } = await makeBed();
    const runId = runIdOn();
    const name = await store.put(runId, bytes);
    await damage(runId, name);
    assert.equal(await store.get(runId, name), undefined);
    await store.put(runId, bytes);
    assert.notEqual(await store.get(runId, name), undefined);
  });

  it("removes the objects of one run", async () => {
    const { store } = await makeBed();
    const [removed, kept] = [runIdOn(), runIdOn()];
    const name = await store.put(removed, bytes);
    await store.put(kept, bytes);
    await store.removeRun(removed);
    await store.removeRun(removed);
    assert.equal(await store.get(removed, name), undefined);
    assert.notEqual(await store.get(kept, name), undefined);
  });

  it("stores the same object at once from many sides", async () => {
    const { store } = await makeBed();
    const runId = runIdOn();
    const names = await Promise.all(Array.from({ length: 20 }, () => store.put(runId, bytes)));
    assert.equal(new Set(names).size, 1);
    assert.notEqual(await store.get(runId, names[0] ?? ""), undefined);
  });
}
