/** Where the attempts of a run wait: what its document says becomes part of each attempt, and the key of its limit part of the history. */
import assert from "node:assert/strict";
import { type AttemptView, effectsOfLoading } from "../../../actors/run/core/effects.ts";
import { compileText, HEAD } from "../../support/compile-document.ts";
import { RunWorld, type TestHandler } from "../../support/run-world.ts";

const CALL = (metadata: string): string => `do: [{ pay: { call: charge@default, metadata: ${metadata} } }]`;

/** A run of one call, with the attempts that its handler was asked for. */
async function world(body: string, answer: TestHandler = () => ({ output: "paid" })): Promise<{ run: RunWorld; calls: AttemptView[] }> {
  const calls: AttemptView[] = [];
  const workflow = await compileText(HEAD + body);
  const charge: TestHandler = (input, call) => {
    calls.push(call);
    return answer(input, call);
  };
  return { run: new RunWorld(workflow, { charge }), calls };
}

/** Keys that are written in a run's history. */
function writtenKeys({ entries }: RunWorld): (string | undefined)[] {
  return entries.flatMap(({ event }) => (event?.$case === "attemptScheduled" ? [event.value.concurrencyKey] : []));
}

describe("scheduling of a run's attempts", () => {
  it("is what the document says, and nothing of it is written if it is constant", async () => {
    const { run, calls } = await world(CALL("{ queue: gpu, priority: 1, concurrency: { key: 7, limit: 2 }, owner: me }"));
    run.start();
    assert.deepEqual(calls[0]?.scheduling, { queue: "gpu", priority: 1, concurrency: { key: "7", limit: 2 } });
    assert.deepEqual(writtenKeys(run), [undefined]);
  });

  it("is left to the handler where the document says nothing", async () => {
    const { run, calls } = await world("do: [{ pay: { call: charge@default } }]");
    run.start();
    assert.equal(calls[0]?.scheduling, undefined);
  });

  it("evaluates a key once, over the task's input, for all attempts of the task", async () => {
    let failures = 1;
    const { run, calls } = await world(CALL('{ concurrency: { key: "${ .customer }", limit: 5 } }'), () =>
      failures-- > 0 ? { kind: "failed", error: { kind: "thrown", message: "busy" } } : { output: 1 },
    );
    run.retry.set("charge", { attempts: 2, delayMs: 10, jitter: 0 });
    run.start({ customer: "ada" }).advance(10);
    assert.deepEqual(
      calls.map(({ scheduling }) => scheduling?.concurrency),
      [
        { key: "ada", limit: 5 },
        { key: "ada", limit: 5 },
      ],
    );
    assert.deepEqual(writtenKeys(run), ["ada", undefined]);
  });

  it("has no limit if the key was to be evaluated and is not written: an older node scheduled the attempt, or stored the run", async () => {
    const { run } = await world(CALL('{ priority: 2, concurrency: { key: "${ .customer }", limit: 5 } }'), () => "later");
    run.start({ customer: "ada" });
    for (const frame of run.state.frames.values()) frame.concurrencyKey = undefined;
    const [effect] = effectsOfLoading(run.state);
    assert.deepEqual(effect?.kind === "dispatch" && effect.call.scheduling, { queue: undefined, priority: 2, concurrency: undefined });
  });

  it("takes a number for a key, and fails the task at anything else", async () => {
    const body = CALL('{ concurrency: { key: "${ .customer }", limit: 5 } }');
    const { run, calls } = await world(body);
    run.start({ customer: 12 });
    assert.equal(calls[0]?.scheduling?.concurrency?.key, "12");
    for (const customer of [null, "", ["ada"], "x".repeat(257), "a\0b"]) {
      const refused = await world(body);
      refused.run.start({ customer });
      assert.equal(refused.run.state.status, "failed");
      assert.equal(refused.run.state.error?.detail, "the concurrency key must be a text of 1 to 256 characters, or a number");
      assert.equal(refused.calls.length, 0);
    }
  });

  it("leaves words alone that an author of a stored document had for himself", async () => {
    const text = `${HEAD}do: [{ pay: { call: charge@default, metadata: { queue: [a], priority: high, concurency: 1 } } }, { rest: { wait: PT1S, metadata: { priority: 1 } } }]`;
    const stored = await compileText(text, { handlers: undefined, allowShell: false });
    assert.deepEqual(
      stored.nodes.map(({ scheduling }) => scheduling),
      [undefined, undefined, undefined],
    );
    await assert.rejects(compileText(text), { code: "DOCUMENT_INVALID" });
  });
});
