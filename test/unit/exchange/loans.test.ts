/** What a lender answers to an executor whose calls come late, twice, or not at all: the executor is made by hand, call by call. */
import assert from "node:assert/strict";
import { TaskAnswer, TaskCall } from "../../../proto/gen/maestro/cluster/v1/task_call.ts";
import type { Bus } from "../../../runtime/bus/bus.ts";
import { EventHub } from "../../../runtime/events.ts";
import { type Answer, type Call, tasksSubject } from "../../../runtime/exchange/task-calls.ts";
import { type ExchangeNode, ExchangeWorld, LOAN_MS } from "../../support/exchange-world.ts";

describe("a lender of tasks", () => {
  const TAKE_ALL: Call = { $case: "take", value: { queues: [], count: 10, processCount: 0 } };
  let world: ExchangeWorld;
  let lender: ExchangeNode;
  let bus: Bus;
  let self: string;

  beforeEach(async () => {
    world = new ExchangeWorld();
    lender = await world.start("lender", { slots: 0 });
    bus = world.network.join("by hand", new EventHub());
    self = world.admit();
    await world.pass(10);
  });

  afterEach(async () => {
    await bus.close();
    await world.end();
  });

  async function ask(sequence: number, call: Call): Promise<Answer | undefined> {
    const asked = bus.request(tasksSubject("test", lender.bootId), TaskCall.encode({ sender: self, sequence, call }).finish(), { timeoutMs: 1_000 });
    await world.pass(10);
    return TaskAnswer.decode((await asked).payload).answer;
  }
  const idsOf = (answer: Answer | undefined): readonly string[] => (answer?.$case === "taken" ? answer.value.attempts.map(({ id }) => id) : []);
  const completed = (id: string): Call => ({ $case: "results", value: { results: [{ id, outcome: { $case: "output", value: "1" } }] } });

  it("gives nothing for a call that comes twice, or behind a later one", async () => {
    const id = world.submit(lender, 1);
    assert.deepEqual(idsOf(await ask(2, TAKE_ALL)), [id]);
    world.submit(lender, 1);
    for (const sequence of [2, 1]) assert.equal((await ask(sequence, TAKE_ALL))?.$case, "stale");
    assert.equal((await ask(1, { $case: "renew", value: { held: [] } }))?.$case, "stale");
    assert.equal(idsOf(await ask(3, TAKE_ALL)).length, 1, "the first is lent still");
  });

  it("has an attempt wait again that a renewal does not name", async () => {
    const id = world.submit(lender, 1);
    await ask(1, TAKE_ALL);
    await ask(2, { $case: "renew", value: { held: [] } });
    assert.deepEqual(lender.lentEvents, [{ count: 1, reason: "unheld" }]);
    assert.deepEqual(idsOf(await ask(3, TAKE_ALL)), [id]);
  });

  it("has an attempt wait again whose loan is over, and lets who has it go on", async () => {
    const id = world.submit(lender, 1);
    await ask(1, TAKE_ALL);
    await world.pass(LOAN_MS - 1_500, 20);
    assert.deepEqual(lender.lentEvents, []);
    await world.pass(3_000, 20);
    assert.deepEqual(lender.lentEvents, [{ count: 1, reason: "expired" }]);
    assert.deepEqual(await ask(2, { $case: "renew", value: { held: [{ id, grant: 1 }] } }), { $case: "renewed", value: { unwanted: [] } });
    assert.deepEqual(idsOf(await ask(3, TAKE_ALL)), []);
  });

  it("takes back under the grant of now only", async () => {
    const id = world.submit(lender, 1);
    await ask(1, TAKE_ALL);
    await ask(2, { $case: "giveBack", value: { loans: [{ id, grant: 1 }], unknown: false } });
    assert.deepEqual(idsOf(await ask(3, TAKE_ALL)), [id]);
    await ask(4, { $case: "giveBack", value: { loans: [{ id, grant: 1 }], unknown: false } });
    assert.deepEqual(idsOf(await ask(5, TAKE_ALL)), []);
    await ask(6, { $case: "giveBack", value: { loans: [{ id, grant: 3 }], unknown: false } });
    assert.deepEqual(idsOf(await ask(7, TAKE_ALL)), [id]);
  });

  it("counts the first result, also of one whose loan is over, once the one who has it now has stopped", async () => {
    const id = world.submit(lender, 1);
    await ask(1, TAKE_ALL);
    await world.pass(LOAN_MS + 1_500, 20);
    const first = self;
    self = world.admit();
    assert.deepEqual(idsOf(await ask(1, TAKE_ALL)), [id]);
    const second = self;
    self = first;
    for (let time = 0; time < 2; time += 1) assert.equal((await ask(0, completed(id)))?.$case, "noted");
    self = second;
    const held = [{ id, grant: 1 }];
    assert.deepEqual(await ask(2, { $case: "renew", value: { held } }), { $case: "renewed", value: { unwanted: held } });
    assert.equal(lender.outcomes.has(id), false, "its slot of a concurrency key is not free yet");
    await ask(0, { $case: "results", value: { results: [{ id, outcome: { $case: "cancelled", value: {} } }] } });
    assert.deepEqual(lender.outcomes.get(id), { kind: "completed", output: "1" });
  });

  it("leaves an attempt with who has it now, whatever one whose loan is over renews", async () => {
    const id = world.submit(lender, 1);
    await ask(1, TAKE_ALL);
    await world.pass(LOAN_MS + 1_500, 20);
    const first = self;
    self = world.admit();
    assert.deepEqual(idsOf(await ask(1, TAKE_ALL)), [id]);
    const second = self;
    const held = [{ id, grant: 1 }];
    self = first;
    assert.deepEqual(await ask(2, { $case: "renew", value: { held } }), { $case: "renewed", value: { unwanted: held } });
    self = second;
    assert.deepEqual(await ask(2, { $case: "renew", value: { held } }), { $case: "renewed", value: { unwanted: [] } });
  });

  it("settles an attempt once that is cancelled again before it has settled", async () => {
    const id = world.submit(lender, 1);
    for (let time = 0; time < 2; time += 1) lender.exchange.pool.cancel(id);
    await world.pass(10);
    assert.deepEqual(lender.outcomes.get(id), { kind: "cancelled" });
  });

  it("takes no result from one to whom the attempt was not lent, and calls it unwanted there", async () => {
    const id = world.submit(lender, 1);
    const held = [{ id, grant: 1 }];
    const unwanted: Answer = { $case: "renewed", value: { unwanted: held } };
    assert.equal((await ask(0, completed(id)))?.$case, "noted");
    assert.deepEqual(await ask(1, { $case: "renew", value: { held } }), unwanted);
    assert.equal(lender.outcomes.has(id), false);
    await ask(2, TAKE_ALL);
    const borrower = self;
    self = world.admit();
    assert.equal((await ask(0, completed(id)))?.$case, "noted");
    assert.deepEqual(await ask(1, { $case: "renew", value: { held } }), unwanted);
    assert.equal(lender.outcomes.has(id), false);
    self = borrower;
    await ask(0, completed(id));
    assert.equal(lender.outcomes.get(id)?.kind, "completed");
  });

  it("notes results of attempts that it does not know", async () => {
    assert.equal((await ask(0, completed("nobody's")))?.$case, "noted");
  });

  it("gives an input only to who has the attempt", async () => {
    const input = JSON.stringify({ durationMs: 1, text: "x".repeat(100_000) });
    const id = world.submit(lender, 1, { input });
    const fetch: Call = { $case: "fetch", value: { id, offset: 0 } };
    assert.deepEqual(await ask(0, fetch), { $case: "fetched", value: { bytes: Buffer.alloc(0) } });
    await ask(1, TAKE_ALL);
    const answer = await ask(0, fetch);
    assert.equal(answer?.$case === "fetched" && answer.value.bytes.toString(), input);
  });
});
