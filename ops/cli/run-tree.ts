/**
 * A run as a tree of tasks: a fold over its history, entry by entry. It knows nothing of terminals; `tree-view.ts` draws it.
 *
 * The tree shows what the author wrote. The lists that a document nests inside `try`, `catch` and `for` are entries of the history too, but
 * not tasks that anyone named: what is in them is shown under their owner. Tasks that undo others are kept apart, in the order of undoing.
 */
import type { HistoryEntry } from "../../actors/runs.ts";
import { parentPaths, undoneTask, writtenName } from "./task-path.ts";

/** Where a task is. */
export type NodeStatus = "running" | "completed" | "failed" | "cancelled" | "skipped";

/** A task. */
export interface TreeNode {
  readonly path: string;
  readonly name: string;
  readonly kind: string;
  readonly children: TreeNode[];
  /** Name of the task that this one undoes; empty for others. */
  readonly undoes: string;
  status: NodeStatus;
  /** Of its worker; 0 if it needs none. */
  attempt: number;
  /** How often it was begun: more than once in a `try` that is repeated. */
  executions: number;
  startedAtMs: number;
  endedAtMs: number | undefined;
  /** What it waits for, or what it is about to do; empty if it just works. */
  note: string;
  /** What it waits for, such as `for the signal approved`; empty if it just works. */
  wait: string;
  /** Why it failed, or why its latest attempt did. */
  error: string;
}

const TO_TRY_AGAIN = "to try again";

/** Iterations of one `for` that are kept; what is older is only counted. */
const ITERATIONS_KEPT = 3;

/** A run. */
export class RunTree {
  readonly runId: string;
  /** Tasks at the top of the document. */
  readonly roots: TreeNode[] = [];
  /** Tasks that undo others, in the order in which they began. */
  readonly undo: TreeNode[] = [];
  /** `pending` until its history says more. */
  status = "pending";
  /** Why it failed. */
  error = "";
  startedAtMs = 0;
  endedAtMs: number | undefined;
  /** Sequence number of the newest entry that is in the tree. */
  lastSeq = 0;
  readonly #nodes = new Map<string, TreeNode>();

  constructor(runId: string) {
    this.runId = runId;
  }

  /** Folds in the next entry. An entry that is in the tree already is ignored; one of an unknown type changes nothing. */
  apply(entry: HistoryEntry): void {
    if (entry.seq <= this.lastSeq) return;
    this.lastSeq = entry.seq;
    if (entry.path === "") this.#applyToRun(entry);
    else if (entry.type === "task.started") this.#start(entry);
    else this.#applyToTask(entry);
  }

  /** What a task that is under way waits for, and for how long it has, as the run's owner knows it: the history does not say it. */
  noteWait(path: string, wait: string, waited: string): void {
    const node = this.#nodes.get(path);
    if (node?.status === "running") Object.assign(node, { wait, note: `waits ${waited} ${wait}`.trimEnd() });
  }

  /** What the run waits for, one text for each task, if nothing in it works; otherwise empty. */
  get waits(): readonly string[] {
    const waits = [...this.#nodes.values()].filter(isWorking).map(({ wait }) => wait);
    return this.status !== "running" || waits.includes("") ? [] : waits;
  }

  /** The task of a path, or undefined. */
  node(path: string): TreeNode | undefined {
    return this.#nodes.get(path);
  }

  #applyToRun(entry: HistoryEntry): void {
    switch (entry.type) {
      case "run.started":
        this.status = "running";
        this.startedAtMs = entry.atMs;
        return;
      case "cancel.requested":
        this.status = "cancelling";
        return;
      case "compensation.started":
        this.status = "undoing";
        this.error = describeError(entry);
        this.#closeRunning(entry.atMs);
        return;
      case "run.ended":
        this.status = entry.status ?? "completed";
        this.error = describeError(entry) || (this.status === "completed" ? "" : this.error);
        this.endedAtMs = entry.atMs;
        this.#closeRunning(entry.atMs);
    }
  }

  #start(entry: HistoryEntry): void {
    const known = this.#nodes.get(entry.path);
    if (known !== undefined) {
      Object.assign(known, {
        status: "running",
        attempt: 0,
        startedAtMs: entry.atMs,
        endedAtMs: undefined,
        note: "",
        wait: "",
        executions: known.executions + 1,
      });
      return;
    }
    const name = writtenName(entry.path);
    if (name === undefined) return;
    const node: TreeNode = { ...blankNode(entry), name: name === "" ? entry.task : name, undoes: undoneTask(entry.path) };
    this.#nodes.set(entry.path, node);
    const siblings = this.#siblingsOf(node);
    siblings.push(node);
    this.#forgetIterations(node, siblings);
  }

  #siblingsOf(node: TreeNode): TreeNode[] {
    const parent = parentPaths(node.path)
      .map((path) => this.#nodes.get(path))
      .find((candidate) => candidate !== undefined && candidate.undoes === node.undoes);
    return parent?.children ?? (node.undoes === "" ? this.roots : this.undo);
  }

  #forgetIterations(node: TreeNode, siblings: TreeNode[]): void {
    if (!node.name.startsWith("#") || siblings.length <= ITERATIONS_KEPT) return;
    const [oldest] = siblings.splice(0, 1);
    for (const path of this.#nodes.keys()) if (oldest !== undefined && path.startsWith(oldest.path)) this.#nodes.delete(path);
  }

  #applyToTask(entry: HistoryEntry): void {
    const node = this.#nodes.get(entry.path);
    if (node === undefined) return;
    switch (entry.type) {
      case "attempt.scheduled":
        node.attempt = entry.attempt;
        node.note = node.wait = "";
        return;
      case "attempt.failed":
        node.error = describeError(entry);
        node.note = "retryAt" in detailsOf(entry) ? `attempt ${entry.attempt} failed; another follows` : "";
        node.wait = node.note === "" ? "" : TO_TRY_AGAIN;
        return;
      case "attempt.interrupted":
        node.note = "its node was lost; it is executed again";
        return;
      case "try.retried":
        node.error = describeError(entry);
        node.note = `tries again (${entry.attempt})`;
        node.wait = TO_TRY_AGAIN;
        return;
      case "error.caught":
        node.note = "caught an error";
        return;
      case "signal.awaited":
        setWait(node, `for the signal ${String(detailsOf(entry).name ?? "")}`);
        return;
      case "timer.set":
        if (node.kind === "wait") setWait(node, `until ${String(detailsOf(entry).dueAt ?? "")}`);
        return;
      case "task.completed":
        end(node, detailsOf(entry).skipped === true ? "skipped" : "completed", entry.atMs);
        if (node.attempt <= 1) node.error = "";
        return;
      case "task.faulted":
        node.error = describeError(entry);
        end(node, "failed", entry.atMs);
        return;
      case "task.cancelled":
        end(node, "cancelled", entry.atMs);
    }
  }

  /** Nothing that was under way survives the failure or the end of the run, whether or not the history says so for each task. */
  #closeRunning(atMs: number): void {
    for (const node of this.#nodes.values()) if (node.status === "running") end(node, "cancelled", atMs);
  }
}

function end(node: TreeNode, status: NodeStatus, atMs: number): void {
  node.status = status;
  node.endedAtMs = atMs;
  node.note = node.wait = "";
}

function setWait(node: TreeNode, wait: string): void {
  node.wait = wait;
  node.note = `waits ${wait}`;
}

/** True for a task that is under way itself, and not by what is in it. */
function isWorking({ status, children }: TreeNode): boolean {
  return status === "running" && children.every((child) => child.status !== "running");
}

function blankNode(entry: HistoryEntry): TreeNode {
  const { path, task: name, kind, atMs: startedAtMs } = entry;
  return {
    path,
    name,
    kind,
    children: [],
    undoes: "",
    status: "running",
    attempt: 0,
    executions: 1,
    startedAtMs,
    endedAtMs: undefined,
    note: "",
    wait: "",
    error: "",
  };
}

function describeError(entry: HistoryEntry): string {
  const { error } = entry;
  return error === undefined ? "" : (error.detail ?? error.title ?? error.type);
}

function detailsOf(entry: HistoryEntry): Record<string, unknown> {
  return entry.details === "" ? {} : (JSON.parse(entry.details) as Record<string, unknown>);
}
