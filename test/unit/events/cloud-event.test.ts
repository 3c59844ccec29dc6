/** Histories as CloudEvents: the core of a run, driven by hand. */
import assert from "node:assert/strict";
import { type CloudEvent, type EventLevel, evolveAndTell } from "../../../actors/events/cloud-event.ts";
import { EVENT_TYPES, type EventKind, subjectToken } from "../../../actors/events/event-names.ts";
import type { Workflow } from "../../../actors/language/model.ts";
import { decodeEntries, encodeEntries } from "../../../actors/run/core/entry.ts";
import { emptyRun } from "../../../actors/run/core/state.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { compileText, HEAD } from "../../support/compile-document.ts";
import { RunWorld, type TestHandler, thrown } from "../../support/run-world.ts";

interface Structured {
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly traceparent?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const HANDLERS: Readonly<Record<string, TestHandler>> = {
  charge: (input) => ({ output: input }),
  ship: () => thrown("no parcels"),
};

async function worldOf(body: string, handlers = HANDLERS): Promise<{ readonly world: RunWorld; readonly workflow: Workflow }> {
  const workflow = await compileText(HEAD + body);
  return { world: new RunWorld(workflow, handlers), workflow };
}

/** What is told of a history that is read back. */
function told(world: RunWorld, workflow: Workflow, level: EventLevel): readonly CloudEvent[] {
  const events: CloudEvent[] = [];
  const state = emptyRun(world.runId, "workflow-id", workflow);
  for (const entry of decodeEntries(world.runId, 1, encodeEntries(world.entries))) evolveAndTell(state, entry, level, events);
  assert.equal(state.lastSeq, world.entries.length);
  return events;
}

const parse = (event: CloudEvent | undefined): Structured => JSON.parse(event?.text ?? "") as Structured;
const kindsOf = (events: readonly CloudEvent[]): readonly string[] => events.map(({ subject }) => subject.slice(subject.lastIndexOf(".") + 1));

describe("events of a run", () => {
  it("are CloudEvents in the structured format, about the run's start and end", async () => {
    const { world, workflow } = await worldOf("do: [{ one: { call: charge@default } }]");
    const events = told(world.start({ n: 1 }), workflow, "runs");
    assert.deepEqual(kindsOf(events), ["workflow-started", "workflow-completed"]);
    assert.deepEqual(parse(events[0]), {
      specversion: "1.0",
      id: `${world.runId}:1`,
      source: "/maestro/test/sample",
      type: "io.serverlessworkflow.workflow.started.v1",
      subject: world.runId,
      time: new Date(world.state.startedAtMs).toISOString(),
      datacontenttype: "application/json",
      data: {
        name: `sample-${world.runId}.test`,
        definition: { namespace: "test", name: "sample", version: workflow.version },
        startedAt: new Date(world.state.startedAtMs).toISOString(),
      },
    });
    const end = parse(events[1]);
    assert.equal(end.id, `${world.runId}:${world.entries.length}`);
    assert.deepEqual(end.data.output, { n: 1 });
    assert.equal(events[1]?.subject, "maestro.events.test.sample.workflow-completed");
  });

  it("tell of a failure with its error, and of a cancellation", async () => {
    const failing = await worldOf("do: [{ two: { call: ship@default } }]");
    const events = told(failing.world.start(), failing.workflow, "runs");
    assert.deepEqual(kindsOf(events), ["workflow-started", "workflow-faulted"]);
    const { error } = parse(events[1]).data as { readonly error: { readonly detail: string; readonly instance: string } };
    assert.match(error.detail, /no parcels/);
    assert.equal(error.instance, "/do/0/two");
    const cancelled = await worldOf("do: [{ ask: { call: signal@default, with: { name: go } } }]");
    cancelled.world.start().tell({ kind: "cancel", reason: "not wanted" });
    assert.deepEqual(kindsOf(told(cancelled.world, cancelled.workflow, "runs")), [
      "workflow-started",
      "workflow-status-changed",
      "workflow-cancelled",
    ]);
  });

  it("tell when a run begins to wait, and when it goes on", async () => {
    const { world, workflow } = await worldOf("do: [{ nap: { wait: { seconds: 2 } } }, { nap2: { wait: { seconds: 2 } } }]");
    const events = told(world.start().advance(2_000).advance(2_000), workflow, "runs");
    const states = events.map((event) => parse(event).data.status).filter((status) => status !== undefined);
    assert.deepEqual(states, ["waiting", "running", "waiting", "running"]);
    assert.ok(events.filter(({ id }) => id.endsWith(":status")).length === 4);
    assert.deepEqual(new Set(events.map(({ id }) => id)).size, events.length, "every id is unique");
  });

  it("tell of tasks at the level of tasks, but not of the lists inside them", async () => {
    const body = `do:
  - rows:
      for: { in: '\${ [1, 2] }' }
      do: [{ pay: { call: charge@default } }]
  - risky:
      try: [{ send: { call: ship@default } }]
      catch: { as: error, do: [{ note: { set: { seen: '\${ $error.status }' } } }] }
`;
    const { world, workflow } = await worldOf(body);
    const events = told(world.start(), workflow, "tasks");
    const trail = events.map((event) => [event.subject.split(".").at(-1), parse(event).data.task]).filter(([, task]) => task !== undefined);
    assert.deepEqual(trail, [
      ["task-started", "/do/0/rows"],
      ["task-started", "/do/0/rows[0]/do/0/pay"],
      ["task-completed", "/do/0/rows[0]/do/0/pay"],
      ["task-started", "/do/0/rows[1]/do/0/pay"],
      ["task-completed", "/do/0/rows[1]/do/0/pay"],
      ["task-completed", "/do/0/rows"],
      ["task-started", "/do/1/risky"],
      ["task-started", "/do/1/risky/try/0/send"],
      ["task-faulted", "/do/1/risky/try/0/send"],
      ["task-started", "/do/1/risky/catch/do/0/note"],
      ["task-completed", "/do/1/risky/catch/do/0/note"],
      ["task-completed", "/do/1/risky"],
    ]);
    assert.deepEqual(kindsOf(told(world, workflow, "runs")), ["workflow-started", "workflow-completed"]);
  });

  it("tell of a task's further attempts, and of one that was given up", async () => {
    const { world, workflow } = await worldOf(
      "do: [{ race: { fork: { compete: true, branches: [{ slow: { call: refund@default } }, { quick: { call: charge@default } }] } } }]",
      { charge: (_input, { attempt }) => (attempt < 3 ? thrown() : { output: 1 }), refund: () => "later" },
    );
    world.retry.set("charge", { attempts: 3, delayMs: 10 });
    world.start().advance(60_000);
    const kinds = kindsOf(told(world, workflow, "tasks"));
    assert.equal(kinds.filter((kind) => kind === "task-retried").length, 2);
    assert.equal(kinds.filter((kind) => kind === "task-cancelled").length, 1);
  });

  it("name the size and the place of what is large, and carry the trace of the caller", async () => {
    const { world, workflow } = await worldOf("do: [{ one: { call: charge@default } }]");
    const large = "ä".repeat(LIMITS.eventTextLength);
    const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const request = { workflowId: "workflow-id", input: JSON.stringify(large), userId: "", labels: {}, traceParent };
    world.tell({ kind: "start", request });
    const end = parse(told(world, workflow, "runs").at(-1));
    assert.deepEqual(end.data.output, { $large: { bytes: 2 * large.length + 2, run: world.runId, entry: world.entries.length } });
    assert.equal(end.traceparent, traceParent);
  });

  it("cut an error that is large", async () => {
    const { world, workflow } = await worldOf("do: [{ one: { call: charge@default } }]", {
      charge: () => thrown(`\ud83d\ude00"${"x".repeat(100_000)}`),
    });
    const event = told(world.start(), workflow, "runs").at(-1);
    const { error } = parse(event).data as {
      readonly error: { readonly detail: string; readonly data: { readonly $large: { readonly run: string } } };
    };
    assert.equal(error.data.$large.run, world.runId);
    assert.ok((event?.text.length ?? 0) < 2_000);
  });

  it("have a type for each kind, as the specification names it", () => {
    for (const kind of Object.keys(EVENT_TYPES) as EventKind[]) {
      assert.equal(EVENT_TYPES[kind], `io.serverlessworkflow.${kind.replace("-", ".")}.v1`);
    }
  });

  it("have subjects whose tokens hold nothing that NATS would take for its own", () => {
    assert.equal(subjectToken("order-2_b"), "order-2_b");
    for (const text of ["a.b", "*", ">", "a b", "ü", "\ud800", "a\r\n", "%"]) assert.match(subjectToken(text), /^[A-Za-z0-9_%-]+$/);
    assert.notEqual(subjectToken("a.b"), subjectToken("a%2Eb"));
  });
});
