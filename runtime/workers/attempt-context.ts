/**
 * What a handler sees of its attempt, and whether the attempt has ended. The abort signal and the log are made when they are first asked for:
 * most attempts need neither.
 */
import type { TaskContext, TaskLog } from "./define-task.ts";
import type { LogLevel, Request, WireId } from "./protocol.ts";

/** What an attempt may say to its thread. */
export interface AttemptVoice {
  log(id: WireId, level: LogLevel, message: string, data: unknown): void;
  heartbeat(id: WireId): void;
}

/** One attempt inside a worker thread. */
export class AttemptContext implements TaskContext {
  readonly id: WireId;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly runId: string;
  readonly task: string;
  readonly traceParent: string;
  readonly #voice: AttemptVoice;
  #abort: AbortController | undefined;
  #log: TaskLog | undefined;
  #ended = false;

  constructor(request: Request & { kind: "execute" }, voice: AttemptVoice) {
    this.id = request.id;
    this.attempt = request.attempt;
    this.idempotencyKey = request.idempotencyKey;
    this.runId = request.runId;
    this.task = request.task;
    this.traceParent = request.traceParent;
    this.#voice = voice;
    this.heartbeat = this.heartbeat.bind(this);
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  get log(): TaskLog {
    const line = (level: LogLevel) => (message: string, data?: unknown) => this.#voice.log(this.id, level, message, data);
    this.#log ??= { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
    return this.#log;
  }

  heartbeat(details?: unknown): void {
    if (this.#ended) return;
    this.#voice.heartbeat(this.id);
    if (details !== undefined) this.#voice.log(this.id, "debug", "heartbeat", details);
  }

  /** True if the attempt's signal was aborted. */
  get aborted(): boolean {
    return this.#abort?.signal.aborted === true;
  }

  /** Aborts the attempt's signal. */
  abort(reason: string): void {
    this.#abort ??= new AbortController();
    this.#abort.abort(new DOMException(reason, "AbortError"));
  }

  /** Notes that the attempt has ended; false if it had ended before. */
  end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    return true;
  }
}
