/**
 * A worker thread in this process: the adapter of the thread port to `node:worker_threads`.
 */
import { extname } from "node:path";
import { type ResourceLimits, Worker } from "node:worker_threads";
import { messageOf } from "../errors.ts";
import type { ReplyBatch, ThreadSetup } from "./protocol.ts";
import { isReplyBatch } from "./reply-guard.ts";
import type { StartThread, ThreadListener } from "./thread-link.ts";

/** What threads of one pool have in common. */
export interface LocalThreadOptions {
  /** Absolute path of the handlers' folder; empty for none. */
  readonly handlersFolder: string;
  /** Bound of a thread's heap in MiB, as far as the platform keeps it (see the `process` tier). 0: the platform's own. */
  readonly memoryMb: number;
}

/** What the pool is told of messages that are not of its protocol. */
const STRAY_MESSAGE: ReplyBatch = {
  acknowledged: 0,
  replies: [
    { kind: "log", id: 0, level: "warn", message: "a handler's module posted a message to its parent thread, where nobody reads it", data: "" },
  ],
};

/** The file of a module beside this one, in the sources and in the built package alike. */
export function siblingModule(name: string): URL {
  return new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
}

/** Starts threads in this process. */
export function localThreads(options: LocalThreadOptions): StartThread {
  return (listener) => startWorker(options, listener);
}

function startWorker(options: LocalThreadOptions, listener: ThreadListener): ReturnType<StartThread> {
  const current = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const setup: ThreadSetup = { handlersFolder: options.handlersFolder, current };
  const resourceLimits: ResourceLimits = options.memoryMb === 0 ? {} : { maxOldGenerationSizeMb: options.memoryMb };
  const worker = new Worker(siblingModule("thread"), { workerData: setup, resourceLimits, execArgv: [] });
  let reason = "";
  let exited = false;
  let strayed = false;
  worker.on("message", (message: unknown) => {
    if (isReplyBatch(message)) return listener.replies(message);
    // Told once: whoever posts to nobody may do it often.
    if (!strayed) listener.replies(STRAY_MESSAGE);
    strayed = true;
  });
  worker.on("error", (error) => {
    reason ||= messageOf(error);
  });
  worker.on("exit", (code) => {
    exited = true;
    listener.ended({ reason: reason || `the thread ended with code ${code}`, culprit: Atomics.load(new Int32Array(current), 0) });
  });
  return {
    send(batch) {
      if (!exited) worker.postMessage(batch);
    },
    terminate() {
      // The exit event tells how it went; the promise says the same again.
      void worker.terminate();
    },
  };
}
