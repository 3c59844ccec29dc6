import assert from "node:assert/strict";
import type { HistoryEntry } from "../../../../actors/runs.ts";
import { LiveTree } from "../../../../ops/cli/live-tree.ts";
import { cutTo, describeDuration, openTerminal } from "../../../../ops/cli/terminal.ts";
import { drawFrame } from "../../../../ops/cli/tree-view.ts";
import { virtualClock } from "../../../../runtime/clock.ts";

const T0 = Date.UTC(2026, 0, 1);
const blank = { path: "", task: "", kind: "", attempt: 0, details: "{}", error: undefined, status: undefined };
const HISTORY: readonly HistoryEntry[] = [
  { ...blank, seq: 1, atMs: T0, type: "run.started" },
  { ...blank, seq: 2, atMs: T0 + 5, type: "task.started", path: "/do/0/compile", task: "compile", kind: "call" },
  { ...blank, seq: 3, atMs: T0 + 250, type: "task.completed", path: "/do/0/compile", task: "compile", kind: "call" },
  { ...blank, seq: 4, atMs: T0 + 260, type: "task.started", path: "/do/1/deploy", task: "deploy", kind: "call" },
  {
    ...blank,
    seq: 5,
    atMs: T0 + 900,
    type: "task.faulted",
    path: "/do/1/deploy",
    task: "deploy",
    kind: "call",
    error: { type: "t", status: 500, detail: "port\ntaken" },
  },
  { ...blank, seq: 6, atMs: T0 + 900, type: "compensation.started", error: { type: "t", status: 500, detail: "port taken" } },
  { ...blank, seq: 7, atMs: T0 + 910, type: "task.started", path: "/do/0/compile/metadata/compensate/0/discard", task: "discard", kind: "call" },
  { ...blank, seq: 8, atMs: T0 + 950, type: "task.completed", path: "/do/0/compile/metadata/compensate/0/discard", task: "discard", kind: "call" },
  { ...blank, seq: 9, atMs: T0 + 960, type: "run.ended", status: "failed", error: { type: "t", status: 500, detail: "port taken" } },
];

function screen(columns: number, env: Record<string, string> = {}, isTTY = true, rows = 30) {
  let text = "";
  const write = (chunk: string): void => {
    text += chunk;
  };
  const stream = { isTTY, columns, rows, write };
  return { terminal: openTerminal(stream, env), written: () => text };
}

/** What an escape sequence looks like. */
const ESCAPE = new RegExp(`${String.fromCharCode(27)}\\[[0-9]*[A-Za-z]`, "g");

describe("the view of a run's tree", () => {
  it("draws tasks, what undoes them, and the reason", () => {
    const { terminal } = screen(80, { NO_COLOR: "1" });
    const live = new LiveTree("r1", terminal, virtualClock(T0));
    for (const entry of HISTORY) live.tree.apply(entry);
    assert.deepEqual(drawFrame(live.tree, terminal, T0 + 2_000), [
      "run r1 failed  960 ms",
      "  ✔ compile                         245 ms",
      "  ✘ deploy                          640 ms",
      "    └ port taken",
      "",
      "  undo, latest first",
      "  ✔ discard                         40 ms, undoes compile",
      "",
      "  port taken",
    ]);
  });

  it("says in its head what a run waits for, as far as that fits", () => {
    const wait = {
      ...blank,
      atMs: T0 + 10,
      type: "timer.set",
      path: "/do/0/pause",
      task: "pause",
      kind: "wait",
      details: '{"kind":"wait","dueAt":"2026-01-01"}',
    };
    for (const [columns, head] of [
      [80, "run r1 waiting  2.0 s, until 2026-01-01"],
      [25, "run r1 waiting  2.0 s, u…"],
    ] as const) {
      const { terminal } = screen(columns, { NO_COLOR: "1" });
      const { tree } = new LiveTree("r1", terminal, virtualClock(T0));
      for (const entry of [...HISTORY.slice(0, 1), { ...wait, seq: 2, type: "task.started", details: "{}" }, { ...wait, seq: 3 }]) tree.apply(entry);
      assert.equal(drawFrame(tree, terminal, T0 + 2_000)[0], head);
    }
  });

  it("never writes wider than the terminal", () => {
    for (const columns of [12, 20, 33]) {
      const { terminal } = screen(columns);
      const live = new LiveTree("0190-a-long-run-id", terminal, virtualClock(T0));
      for (const entry of HISTORY) live.tree.apply(entry);
      for (const line of drawFrame(live.tree, terminal, T0)) assert.ok([...line.replace(ESCAPE, "")].length <= columns, `${columns}: "${line}"`);
    }
  });

  it("draws each frame over the one before", () => {
    const clock = virtualClock(T0);
    const { terminal, written } = screen(80);
    const live = new LiveTree("r1", terminal, clock);
    for (const entry of HISTORY.slice(0, 2)) live.add(entry);
    clock.advance(0);
    const first = written();
    clock.advance(80);
    assert.equal(first.split("\n").length - 1, 2);
    assert.ok(written().slice(first.length).startsWith("\x1b[2A"), "goes back over the two lines of the first frame");
    live.close();
  });

  it("takes the colours away for NO_COLOR, and goes on drawing", () => {
    const { terminal } = screen(80, { NO_COLOR: "1" });
    assert.equal(terminal.isLive, true);
    assert.equal(terminal.paint("bad", "x"), "x");
  });

  it("writes plain lines, one for each thing that happens, where there is no terminal", () => {
    const { terminal, written } = screen(80, {}, false);
    const live = new LiveTree("r1", terminal, virtualClock(T0));
    for (const entry of HISTORY) live.add(entry);
    live.close();
    assert.doesNotMatch(written(), ESCAPE);
    assert.deepEqual(written().trimEnd().split("\n"), [
      "   0.000 s  run r1 started",
      "   0.005 s  compile started",
      "   0.250 s  compile completed 245 ms",
      "   0.260 s  deploy started",
      "   0.900 s  deploy failed: port taken",
      "   0.900 s  the run failed: port taken; what was done is undone, the latest first",
      "   0.910 s  undo: discard started",
      "   0.950 s  undo: discard completed 40 ms, compile is undone",
      "   0.960 s  run r1 failed: port taken",
    ]);
  });

  it("shows the end of a tree that is taller than the screen", () => {
    const clock = virtualClock(T0);
    const { terminal, written } = screen(80, {}, true, 10);
    const live = new LiveTree("r1", terminal, clock);
    for (let index = 0; index < 40; index++) {
      live.add({ ...blank, seq: index + 1, atMs: T0, type: "task.started", path: `/do/${index}/t${index}`, task: `t${index}`, kind: "call" });
    }
    clock.advance(0);
    assert.ok(written().split("\n").length <= 10);
    assert.match(written(), /… 34 lines above/);
    assert.match(written(), /t39/);
  });

  it("tells durations in the unit that people would choose", () => {
    assert.deepEqual([7, 1_234, 61_000, 3_900_000].map(describeDuration), ["7 ms", "1.2 s", "1 min 1 s", "1 h 5 min"]);
    assert.equal(cutTo("abcdef", 4), "abc…");
  });
});
