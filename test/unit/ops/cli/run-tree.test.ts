import assert from "node:assert/strict";
import type { HistoryEntry } from "../../../../actors/runs.ts";
import { RunTree, type TreeNode } from "../../../../ops/cli/run-tree.ts";

/** A history in short: `[type, path, more]`. Each entry happens 10 ms after the one before. */
type Short = readonly [type: string, path?: string, more?: Partial<HistoryEntry>];

function treeOf(...history: readonly Short[]): RunTree {
  const tree = new RunTree("r1");
  history.forEach(([type, path = "", more = {}], index) => {
    const task = path.split("/").at(-1) ?? "";
    const blank = { kind: "call", attempt: 0, details: "{}", error: undefined, status: undefined };
    tree.apply({ seq: index + 1, atMs: 1_000 + index * 10, type, path, task, ...blank, ...more });
  });
  return tree;
}

const problem = (detail: string) => ({ type: "t", status: 500, detail });
const shape = (nodes: readonly TreeNode[]): unknown[] =>
  nodes.map((node) => (node.children.length === 0 ? node.name : [node.name, shape(node.children)]));

describe("the tree of a run", () => {
  it("shows tasks as the author nested them, without the lists that have no name", () => {
    const tree = treeOf(
      ["run.started"],
      ["task.started", "/do"],
      ["task.started", "/do/0/build"],
      ["task.started", "/do/0/build/do/0/compile"],
      ["task.completed", "/do/0/build/do/0/compile"],
      ["task.completed", "/do/0/build"],
      ["task.started", "/do/1/guarded"],
      ["task.started", "/do/1/guarded/try"],
      ["task.started", "/do/1/guarded/try/0/probe"],
      ["task.started", "/do/2/test"],
      ["task.started", "/do/2/test/fork/branches/0/unit"],
      ["task.started", "/do/2/test/fork/branches/1/api"],
    );
    assert.deepEqual(shape(tree.roots), [
      ["build", ["compile"]],
      ["guarded", ["probe"]],
      ["test", ["unit", "api"]],
    ]);
  });

  it("knows how long a task took, how often it was tried and why it failed", () => {
    const tree = treeOf(
      ["run.started"],
      ["task.started", "/do/0/a"],
      ["attempt.scheduled", "/do/0/a", { attempt: 1 }],
      ["attempt.failed", "/do/0/a", { attempt: 1, error: problem("no route"), details: '{"retryAt":"2026-01-01T00:00:00.000Z"}' }],
      ["attempt.scheduled", "/do/0/a", { attempt: 2 }],
      ["attempt.failed", "/do/0/a", { attempt: 2, error: problem("still no route") }],
      ["task.faulted", "/do/0/a", { error: problem("still no route") }],
      ["run.ended", "", { status: "failed", error: problem("still no route") }],
    );
    const [node] = tree.roots;
    assert.deepEqual([node?.status, node?.attempt, node?.error], ["failed", 2, "still no route"]);
    assert.equal((node?.endedAtMs ?? 0) - (node?.startedAtMs ?? 0), 50);
    assert.deepEqual([tree.status, tree.error], ["failed", "still no route"]);
  });

  it("keeps what undoes apart, latest task first, and names what is undone", () => {
    const tree = treeOf(
      ["run.started"],
      ["task.started", "/do/0/a"],
      ["task.completed", "/do/0/a"],
      ["task.started", "/do/1/b"],
      ["compensation.started", "", { error: problem("boom") }],
      ["task.started", "/do/1/b/metadata/compensate"],
      ["task.started", "/do/1/b/metadata/compensate/0/undo-b"],
      ["task.completed", "/do/1/b/metadata/compensate/0/undo-b"],
      ["task.started", "/do/0/a/metadata/compensate"],
      ["task.started", "/do/0/a/metadata/compensate/0/undo-a"],
    );
    assert.deepEqual(shape(tree.roots), ["a", "b"]);
    assert.deepEqual(
      tree.undo.map((node) => [node.name, node.undoes, node.status]),
      [
        ["undo-b", "b", "completed"],
        ["undo-a", "a", "running"],
      ],
    );
    assert.deepEqual([tree.status, tree.error], ["undoing", "boom"]);
  });

  it("leaves nothing running when the run fails or ends", () => {
    const tree = treeOf(["run.started"], ["task.started", "/do/0/a"], ["run.ended", "", { status: "terminated" }]);
    assert.equal(tree.roots[0]?.status, "cancelled");
    assert.equal(tree.endedAtMs, 1_020);
  });

  it("counts the executions of a task that a try repeats, instead of showing it twice", () => {
    const tree = treeOf(
      ["task.started", "/do/0/t"],
      ["task.started", "/do/0/t/try/0/a"],
      ["task.faulted", "/do/0/t/try/0/a", { error: problem("x") }],
      ["try.retried", "/do/0/t", { attempt: 1, error: problem("x") }],
      ["task.started", "/do/0/t/try/0/a"],
      ["task.completed", "/do/0/t/try/0/a"],
    );
    const [outer] = tree.roots;
    assert.deepEqual(
      outer?.children.map((node) => [node.name, node.status, node.executions]),
      [["a", "completed", 2]],
    );
  });

  it("shows the latest iterations of a loop and forgets the others, so that a long loop stays small", () => {
    const iterations = Array.from({ length: 50 }, (_, index): readonly Short[] => [
      ["task.started", `/do/0/each[${index}]/do`, { kind: "do" }],
      ["task.started", `/do/0/each[${index}]/do/0/send`],
    ]);
    const tree = treeOf(["task.started", "/do/0/each"], ...iterations.flat());
    assert.deepEqual(shape(tree.roots), [
      [
        "each",
        [
          ["#48", ["send"]],
          ["#49", ["send"]],
          ["#50", ["send"]],
        ],
      ],
    ]);
    assert.equal(tree.node("/do/0/each[0]/do/0/send"), undefined);
  });

  it("says what a task waits for", () => {
    const tree = treeOf(["task.started", "/do/0/ok", { kind: "signal" }], ["signal.awaited", "/do/0/ok", { details: '{"name":"approval"}' }]);
    assert.equal(tree.roots[0]?.note, "waits for the signal approval");
  });

  it("says what the run waits for, once nothing in it works", () => {
    const started: readonly Short[] = [["run.started"], ["task.started", "/do/0/f", { kind: "fork" }]];
    const branches: readonly Short[] = ["a", "b"].map((name) => ["task.started", `/do/0/f/fork/branches/0/${name}`]);
    const awaits: Short = ["signal.awaited", "/do/0/f/fork/branches/0/a", { details: '{"name":"approval"}' }];
    const fails: Short = ["attempt.failed", "/do/0/f/fork/branches/0/b", { attempt: 1, details: '{"retryAt":"2026-01-01T00:00:00.000Z"}' }];
    assert.deepEqual(treeOf(...started).waits, []);
    assert.deepEqual(treeOf(...started, ...branches, awaits).waits, [], "the other branch works");
    assert.deepEqual(treeOf(...started, ...branches, awaits, fails).waits, ["for the signal approval", "to try again"]);
    const again: Short = ["attempt.scheduled", "/do/0/f/fork/branches/0/b", { attempt: 2 }];
    const tree = treeOf(...started, ...branches, awaits, fails, again);
    assert.deepEqual(tree.waits, []);
    tree.noteWait("/do/0/f/fork/branches/0/b", "in the queue gpu", "2.0 s");
    assert.deepEqual([tree.waits[1], tree.node("/do/0/f/fork/branches/0/b")?.note], ["in the queue gpu", "waits 2.0 s in the queue gpu"]);
    assert.deepEqual(treeOf(...started, ...branches, awaits, fails, ["cancel.requested"]).waits, [], "it is being cancelled");
  });

  it("marks a task whose condition was false as skipped", () => {
    const tree = treeOf(["task.started", "/do/0/a"], ["task.completed", "/do/0/a", { details: '{"skipped":true}' }]);
    assert.equal(tree.roots[0]?.status, "skipped");
  });

  it("ignores entries that it has seen: a stream that was resumed may repeat some", () => {
    const tree = treeOf(["run.started"], ["task.started", "/do/0/a"]);
    const entry = {
      atMs: 0,
      type: "task.started",
      path: "/do/0/a",
      task: "a",
      kind: "call",
      attempt: 0,
      details: "{}",
      error: undefined,
      status: undefined,
    };
    tree.apply({ seq: 2, ...entry });
    assert.equal(tree.roots[0]?.executions, 1);
  });
});
