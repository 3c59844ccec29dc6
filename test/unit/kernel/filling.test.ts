import assert from "node:assert/strict";
import { LIMITS } from "../../../runtime/limits.ts";
import { actorWorld } from "../../support/actor-world.ts";

describe("a mailbox that fills", () => {
  it("is told of once at half, and again only after it has been empty", async () => {
    const world = actorWorld();
    const ref = world.system.spawn("slow", () => ({ receive: () => undefined }), { mailboxLength: 10 });
    const fill = (): void => {
      for (let index = 0; index < 10; index++) ref.tell(index);
    };
    fill();
    await world.advance(60_000);
    for (let index = 0; index < 5; index++) ref.tell(index);
    await world.settle();
    fill();
    assert.deepEqual(world.events("limit.near"), [
      { limit: "mailboxLength", value: 6, bound: 10, subject: "/slow", suppressed: 0 },
      { limit: "mailboxLength", value: 6, bound: 10, subject: "/slow", suppressed: 0 },
    ]);
  });
});

describe("asks in flight", () => {
  it("are told of once at half of their bound", async () => {
    const world = actorWorld();
    const count = LIMITS.pendingReplies / 2 + 10;
    const refs = Array.from({ length: 20 }, (_, index) => world.system.spawn<unknown>(`silent-${index}`, () => ({ receive: () => undefined })));
    const asks = Array.from({ length: count }, (_, index) => refs[index % refs.length]?.ask(() => ({}), { timeoutMs: 1_000 }));
    for (const ask of asks) ask?.catch(() => undefined); // They end with the system.
    const [first, ...more] = world.events("limit.near").filter(({ limit }) => limit === "pendingReplies");
    assert.equal(first?.value, LIMITS.pendingReplies / 2 + 1);
    assert.deepEqual(more, []);
    await Promise.all([world.system.stop(), world.settle()]);
  });
});
