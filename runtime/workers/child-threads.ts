/**
 * Worker threads in a child process: the adapter of the thread port for the `process` tier. Owns the child, which is started with its first
 * thread, shared by all of them, and started again when a thread is asked for after its death. That death costs only the attempts in it.
 */
import { type ChildProcess, fork } from "node:child_process";
import type { CancelTimer, Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { ChildReply, ChildRequest, ChildSetup } from "./child-protocol.ts";
import { siblingModule } from "./local-thread.ts";
import type { ThreadLink, ThreadListener } from "./thread-link.ts";
import { TurnBatch } from "./turn-batch.ts";

/** How long the child may take to end a thread, or itself, before it is killed, in milliseconds. */
const PATIENCE_MS = 2_000;

/** One living child. */
interface Child {
  readonly process: ChildProcess;
  readonly threads: Map<number, ThreadListener>;
  readonly requests: TurnBatch<ChildRequest>;
  readonly ended: PromiseWithResolvers<void>;
}

/** Starts threads in a child process. */
export class ChildThreads {
  readonly #clock: Clock;
  readonly #setup: ChildSetup;
  #child: Child | undefined;
  #lastThread = 0;

  constructor(clock: Clock, setup: ChildSetup) {
    this.#clock = clock;
    this.#setup = setup;
  }

  /** Starts a thread, and the child if there is none. */
  start(listener: ThreadListener): ThreadLink {
    this.#child ??= this.#fork();
    const child = this.#child;
    this.#lastThread += 1;
    const thread = this.#lastThread;
    child.threads.set(thread, listener);
    child.requests.add({ kind: "start", thread });
    return {
      send: (batch) => child.requests.add({ kind: "batch", thread, batch }),
      terminate: () => this.#terminate(child, thread),
    };
  }

  /** Ends the child; resolves when it is gone. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const cancel = this.#killLater(child, () => true);
    if (child.process.connected) child.process.disconnect();
    await child.ended.promise;
    cancel();
  }

  #fork(): Child {
    const forked = fork(siblingModule("process-entry"), [JSON.stringify(this.#setup)], {
      execPath: process.execPath,
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const requests = new TurnBatch<ChildRequest>((frames) => {
      // What can't be sent any more is settled by the end of the child.
      if (forked.connected) forked.send(frames, () => undefined);
    });
    const child: Child = { process: forked, threads: new Map(), requests, ended: Promise.withResolvers() };
    forked.on("message", (frames: ChildReply[]) => read(child, frames));
    forked.on("exit", (code, signal) => this.#end(child, `the child process ended (${signal ?? `code ${code}`})`));
    forked.on("error", (error) => {
      if (forked.pid === undefined) this.#end(child, `the child process can't be started: ${messageOf(error)}`);
    });
    return child;
  }

  #terminate(child: Child, thread: number): void {
    if (!child.threads.has(thread)) return;
    child.requests.add({ kind: "terminate", thread });
    this.#killLater(child, () => child.threads.has(thread));
  }

  /** Kills the child after a while if it is then still needed. */
  #killLater(child: Child, needed: () => boolean): CancelTimer {
    return this.#clock.schedule(PATIENCE_MS, () => {
      if (needed()) child.process.kill("SIGKILL");
    });
  }

  #end(child: Child, reason: string): void {
    if (this.#child === child) this.#child = undefined;
    const listeners = [...child.threads.values()];
    child.threads.clear();
    for (const listener of listeners) listener.ended({ reason, culprit: 0, withOthers: listeners.length > 1 });
    child.ended.resolve();
  }
}

/** Starts threads, each in a child process of its own, which ends with it: whose child dies is known. */
export class SolitaryChildren {
  readonly #clock: Clock;
  readonly #setup: ChildSetup;
  readonly #children = new Set<ChildThreads>();

  constructor(clock: Clock, setup: ChildSetup) {
    this.#clock = clock;
    this.#setup = setup;
  }

  /** Starts a thread in a new child. */
  start(listener: ThreadListener): ThreadLink {
    const child = new ChildThreads(this.#clock, this.#setup);
    this.#children.add(child);
    return child.start({
      replies: (batch) => listener.replies(batch),
      ended: (end) => {
        void child.stop().then(() => this.#children.delete(child));
        listener.ended(end);
      },
    });
  }

  /** Ends the children; resolves when they are gone. */
  async stop(): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.stop()));
  }
}

function read(child: Child, frames: readonly ChildReply[]): void {
  for (const frame of frames) {
    const listener = child.threads.get(frame.thread);
    if (frame.kind === "batch") listener?.replies(frame.batch);
    else {
      child.threads.delete(frame.thread);
      listener?.ended(frame.end);
    }
  }
}
