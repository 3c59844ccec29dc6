/**
 * Reads large documents, each in a thread of its own, one at a time: reading a megabyte of YAML takes about a second, in which a node must not stand
 * still. Owns the order of those that wait, and their bound.
 */
import { Worker } from "node:worker_threads";
import { MaestroError } from "../../runtime/errors.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Json } from "../json.ts";
import type { LargeDocuments, SourceDocument } from "./source-document.ts";
import type { ReadReply, ReadRequest } from "./yaml-thread-protocol.ts";

/** When to try again if too many documents wait, in milliseconds. */
const RETRY_AFTER_MS = 1_000;
/** Heap of a thread, in MiB: several times what the largest document takes. */
const THREAD_HEAP_MB = 1_024;

/** See the file header. */
export class YamlThreads implements LargeDocuments {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #thread: Worker | undefined;
  #closed = false;

  async read(text: string): Promise<SourceDocument> {
    const reply = await this.#ask({ text });
    if (reply.kind === "faulty") throw new MaestroError("DOCUMENT_INVALID", reply);
    if (reply.kind !== "value") throw unexpected(reply);
    return { value: JSON.parse(reply.json) as Json, positions: (pointers) => this.#positions(text, pointers) };
  }

  /** Ends the thread that is at work; nothing is read any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.terminate();
  }

  async #positions(text: string, pointers: readonly string[]): ReturnType<SourceDocument["positions"]> {
    const reply = await this.#ask({ text, pointers });
    if (reply.kind !== "positions") throw unexpected(reply);
    return reply.positions;
  }

  async #ask(request: ReadRequest): Promise<ReadReply> {
    if (this.#waiting >= LIMITS.largeDocumentsWaiting) {
      throw new MaestroError("MAILBOX_FULL", {
        facts: { actor: "The reader of large documents", queued: this.#waiting },
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    this.#waiting += 1;
    const before = this.#last;
    const reply = before
      .then(() => this.#readInThread(request))
      .finally(() => {
        this.#waiting -= 1;
      });
    this.#last = reply.catch(() => undefined); // The caller is told by the promise that it gets.
    return reply;
  }

  #readInThread(workerData: ReadRequest): Promise<ReadReply> {
    if (this.#closed) return Promise.reject(new MaestroError("NODE_STOPPING"));
    return new Promise((resolve, reject) => {
      const resourceLimits = { maxOldGenerationSizeMb: THREAD_HEAP_MB };
      const thread = new Worker(new URL("./yaml-thread.ts", import.meta.url), { workerData, execArgv: [], resourceLimits });
      this.#thread = thread;
      thread.once("message", resolve);
      thread.once("error", reject);
      thread.once("exit", () => {
        this.#thread = undefined;
        // Without effect if it has answered.
        reject(new MaestroError(this.#closed ? "NODE_STOPPING" : "INTERNAL", { facts: { reason: "the thread that read a document ended" } }));
      });
    });
  }
}

function unexpected(reply: ReadReply): MaestroError {
  return new MaestroError("INTERNAL", { facts: { reason: `the thread that read a document answered with ${reply.kind}` } });
}
