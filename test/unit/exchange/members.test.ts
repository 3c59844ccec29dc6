/** Only members of the cluster are served and asked: who was forgotten, or was never one, may say what it likes. */
import assert from "node:assert/strict";
import { TaskAnswer, TaskCall, TaskSummary } from "../../../proto/gen/maestro/cluster/v1/task_call.ts";
import type { Bus } from "../../../runtime/bus/bus.ts";
import { EventHub } from "../../../runtime/events.ts";
import { offersSubject, tasksSubject } from "../../../runtime/exchange/task-calls.ts";
import { type BootId, newBootId } from "../../../runtime/ids.ts";
import { ExchangeWorld } from "../../support/exchange-world.ts";

const LONG_MS = 60_000;

describe("an exchange of tasks, and who is no member", () => {
  let world: ExchangeWorld;
  let bus: Bus;

  beforeEach(async () => {
    world = new ExchangeWorld();
    bus = world.network.join("outsider", new EventHub());
    await world.pass(10);
  });

  afterEach(async () => {
    await bus.close();
    await world.end();
  });

  /** Says that attempts wait with a boot, and counts the calls that it gets from then on. */
  function offerAs(bootId: BootId): { calls: number } {
    const heard = { calls: 0 };
    bus.respond(tasksSubject("test", bootId), () => {
      heard.calls += 1;
      return { payload: TaskAnswer.encode({ answer: { $case: "noted", value: {} } }).finish() };
    });
    const queues = [{ queue: "default", waiting: 3, active: 0, oldestWaitMs: 0, processWaiting: 0 }];
    bus.publish(offersSubject("test"), TaskSummary.encode({ sender: bootId, queues, isExecutor: false, serves: [], asOf: 0 }).finish());
    return heard;
  }

  it("asks a member for what it offers, and nobody else", async () => {
    await world.start("x");
    const [member, stranger] = [offerAs(world.admit()), offerAs(newBootId(world.random))];
    await world.pass(100);
    assert.ok(member.calls > 0);
    assert.equal(stranger.calls, 0);
  });

  it("says nothing any more to a lender that speaks after its end", async () => {
    const executor = await world.start("x");
    const paused = await world.start("paused", { slots: 0 });
    world.submit(paused, LONG_MS);
    await world.passUntil("it is executed", () => executor.pool.running.size === 1);
    paused.view.state = "lost";
    world.show();
    await world.passUntil("it has stopped", () => executor.pool.running.size === 0, 100);
    const executed = executor.pool.executed.length;
    world.submit(paused, LONG_MS);
    const afterwards = offerAs(paused.bootId);
    await world.pass(30_000, 50);
    assert.deepEqual([executor.pool.executed.length, afterwards.calls], [executed, 0]);
    const startMs = world.clock.monotonic();
    let isDrained = false;
    void executor.exchange.drain(1_000, new AbortController().signal).then(() => {
      isDrained = true;
    });
    await world.passUntil("it has drained", () => isDrained, 100);
    assert.ok(world.clock.monotonic() - startMs <= 100);
  });

  it("gives nothing to a stranger", async () => {
    const lender = await world.start("lender", { slots: 0 });
    world.submit(lender, 10);
    const take = { sender: newBootId(world.random), sequence: 1, call: { $case: "take" as const, value: { queues: [], count: 4, processCount: 4 } } };
    const asked = bus.request(tasksSubject("test", lender.bootId), TaskCall.encode(take).finish(), { timeoutMs: 1_000 });
    await world.pass(10);
    assert.equal(TaskAnswer.decode((await asked).payload).answer, undefined);
    assert.equal(lender.exchange.pool.lender.lentCount, 0);
  });

  it("takes no attempt for suspect that a member had as it left in order", async () => {
    const engine = await world.start("engine", { slots: 0 });
    const leaving = await world.start("x1");
    world.submit(engine, LONG_MS);
    await world.passUntil("it is executed", () => leaving.pool.running.size === 1);
    world.kill(leaving);
    leaving.pool.running.clear();
    leaving.view.state = "released";
    world.show();
    const other = await world.start("x2");
    await world.passUntil("it is executed again", () => other.pool.executed.length === 1, 1_500);
    assert.equal(other.pool.executed[0]?.isolation ?? "tier", "tier");
  });
});
