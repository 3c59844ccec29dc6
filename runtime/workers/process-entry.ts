/**
 * Entry of the child process of the `process` tier: starts threads and passes on what they and the node say. It ends with the node, however
 * the node ends. Queues, time bounds and outcomes are the node's business.
 */
import { writeFileSync } from "node:fs";
import { invariant } from "../assert.ts";
import type { ChildReply, ChildRequest, ChildSetup } from "./child-protocol.ts";
import { localThreads } from "./local-thread.ts";
import type { ThreadLink } from "./thread-link.ts";
import { TurnBatch } from "./turn-batch.ts";

invariant(process.send !== undefined, "process-entry.ts is the entry of a child process");
const send = process.send.bind(process);
const setup = JSON.parse(process.argv[2] ?? "") as ChildSetup;
const startThread = localThreads(setup);
const links = new Map<number, ThreadLink>();
// A failed send means that the node is gone; the disconnect event says so.
const replies = new TurnBatch<ChildReply>((frames) => send(frames, undefined, undefined, () => undefined));

function start(thread: number): void {
  const link = startThread({
    replies(batch) {
      replies.add({ kind: "batch", thread, batch });
    },
    ended(end) {
      links.delete(thread);
      replies.add({ kind: "ended", thread, end });
    },
  });
  links.set(thread, link);
}

function handle(request: ChildRequest): void {
  switch (request.kind) {
    case "start":
      start(request.thread);
      break;
    case "batch":
      links.get(request.thread)?.send(request.batch);
      break;
    case "terminate":
      links.get(request.thread)?.terminate();
      break;
  }
}

/** Offers this process, with all that its tasks start, to a system that runs out of memory: without that it may choose the node, or its database. */
function offerToOutOfMemoryKiller(): void {
  if (process.platform !== "linux") return;
  try {
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch (error) {
    // A sandbox may not have it; then the system chooses as it likes.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

offerToOutOfMemoryKiller();
process.on("message", (requests: ChildRequest[]) => {
  for (const request of requests) handle(request);
});
process.on("disconnect", () => {
  process.exit(0);
});
// A signal to the terminal's whole group is for the node to act on: it lets tasks finish, then disconnects.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
