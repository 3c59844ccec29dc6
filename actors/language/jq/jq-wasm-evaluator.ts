/**
 * The reference implementation of jq (jq-wasm) behind the port {@link ExternalEvaluator}. It runs in one thread, started when it is first
 * needed. An evaluation can't be interrupted from inside, so a thread that takes too long is ended, and the next request starts another
 * one. An idle thread doesn't keep the process alive.
 */
import { Worker } from "node:worker_threads";
import type { CancelTimer, Clock } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import type { Json } from "../../json.ts";
import type { ExternalAnswer, ExternalEvaluator, ExternalRequest } from "../expression.ts";
import type { ThreadReply, ThreadRequest } from "./jq-wasm-protocol.ts";

/** How the evaluator is set up. */
export interface JqWasmOptions {
  /** Longest evaluation, in milliseconds, not counting the start of the thread. Default: LIMITS.expressionMs. */
  readonly evaluationMs?: number;
}

/** Most memory that the JavaScript of the thread may take, in megabytes. */
const THREAD_HEAP_MB = 256;

/** Longest start of a thread, in milliseconds. */
const START_MS = 30_000;

type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;

interface Job {
  readonly request: ThreadRequest;
  readonly settle: (reply: ThreadReply) => void;
}

/** The evaluator. Close it to end its thread. */
export function jqWasmEvaluator(clock: Clock, options: JqWasmOptions = {}): ExternalEvaluator {
  return new JqWasmEvaluator(clock, options.evaluationMs ?? LIMITS.expressionMs);
}

class JqWasmEvaluator implements ExternalEvaluator {
  readonly #clock: Clock;
  readonly #evaluationMs: number;
  /** The first one is with the thread. */
  readonly #queue: Job[] = [];
  #thread: Worker | undefined;
  #ready = false;
  #closed = false;
  #nextId = 0;
  #cancelTimer: CancelTimer = () => undefined;

  constructor(clock: Clock, evaluationMs: number) {
    this.#clock = clock;
    this.#evaluationMs = evaluationMs;
  }

  async evaluate(request: ExternalRequest): Promise<ExternalAnswer> {
    const { source, data, variables } = request;
    const reply = await this.#ask({
      kind: "evaluate",
      source,
      data: JSON.stringify(data),
      variables: Object.keys(variables),
      values: JSON.stringify(Object.values(variables)),
    });
    if (reply.kind === "value") return { value: JSON.parse(reply.value) as Json };
    return { fault: faultOf(reply) };
  }

  async check(source: string, variables: readonly string[]): Promise<string | undefined> {
    const reply = await this.#ask({ kind: "check", source, variables });
    return reply.kind === "sound" ? undefined : faultOf(reply);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const thread = this.#thread;
    this.#drop();
    for (const job of this.#queue.splice(0)) job.settle(fault(job.request.id, "the evaluator was closed"));
    await thread?.terminate();
  }

  #ask(question: Unnumbered<ThreadRequest>): Promise<ThreadReply> {
    const request: ThreadRequest = { ...question, id: this.#nextId++ };
    if (this.#closed) return Promise.resolve(fault(request.id, "the evaluator was closed"));
    if (this.#queue.length >= LIMITS.expressionQueueLength) return Promise.resolve(fault(request.id, "too many evaluations wait"));
    return new Promise((settle) => {
      this.#queue.push({ request, settle });
      if (this.#queue.length === 1) this.#sendFirst();
    });
  }

  #sendFirst(): void {
    const job = this.#queue[0];
    if (job === undefined) {
      this.#thread?.unref();
      return;
    }
    this.#thread ??= this.#start();
    this.#thread.ref();
    if (!this.#ready) {
      this.#limit(START_MS, `jq did not start within ${START_MS} ms`);
      return;
    }
    this.#limit(this.#evaluationMs, `took more than ${this.#evaluationMs} ms`);
    this.#thread.postMessage(job.request);
  }

  #start(): Worker {
    const thread = new Worker(new URL("./jq-wasm-thread.ts", import.meta.url), {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
      stdout: true,
      stderr: true,
    });
    thread.on("message", (reply: ThreadReply) => this.#receive(thread, reply));
    thread.on("error", (error) => this.#lose(thread, `jq crashed: ${messageOf(error)}`));
    thread.on("exit", () => this.#lose(thread, "jq ended"));
    return thread;
  }

  #receive(thread: Worker, reply: ThreadReply): void {
    if (thread !== this.#thread) return;
    this.#cancelTimer();
    if (reply.kind === "ready") this.#ready = true;
    else this.#queue.shift()?.settle(reply);
    this.#sendFirst();
  }

  #limit(durationMs: number, reason: string): void {
    this.#cancelTimer();
    const thread = this.#thread as Worker;
    this.#cancelTimer = this.#clock.schedule(durationMs, () => {
      this.#lose(thread, reason);
      void thread.terminate();
    });
  }

  /** The thread is gone or given up: its job fails, and the next one gets a new thread. */
  #lose(thread: Worker, reason: string): void {
    if (thread !== this.#thread) return;
    this.#drop();
    const job = this.#queue.shift();
    job?.settle(fault(job.request.id, reason));
    this.#sendFirst();
  }

  #drop(): void {
    this.#cancelTimer();
    this.#thread = undefined;
    this.#ready = false;
  }
}

function fault(id: number, reason: string): ThreadReply {
  return { kind: "fault", id, fault: reason };
}

function faultOf(reply: ThreadReply): string {
  return reply.kind === "fault" ? reply.fault : `jq answered with ${reply.kind}`;
}
