/**
 * Executes attempts inside a worker thread, several at a time. Owns the attempts under way and who is to blame for an uncaught error: every
 * attempt runs in an asynchronous scope of its own, so that an error out of a timer or a forgotten promise fails that attempt alone.
 */
import type { AsyncLocalStorage } from "node:async_hooks";
import { LIMITS } from "../limits.ts";
import { AttemptContext, type AttemptVoice } from "./attempt-context.ts";
import { jsonText } from "./bounded-text.ts";
import type { LoadedHandler } from "./catalogue.ts";
import type { AttemptOutcome } from "./pool.ts";
import { failed, type Reply, type Request, type WireId } from "./protocol.ts";
import { attemptError } from "./thrown-error.ts";

/** What an executor needs of its thread. */
export interface ExecutorOptions {
  readonly catalogue: ReadonlyMap<string, LoadedHandler>;
  readonly reply: (reply: Reply) => void;
  readonly voice: AttemptVoice;
  /** See ThreadSetup. */
  readonly current: SharedArrayBuffer;
  /** The scope of attempts, shared with the console. */
  readonly scope: AsyncLocalStorage<AttemptContext>;
}

/** The attempts of one worker thread. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #current: Int32Array;
  readonly #attempts = new Map<WireId, AttemptContext>();

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#current = new Int32Array(options.current);
  }

  /** Does what the node asks for. Never throws. */
  handle(request: Request): void {
    switch (request.kind) {
      case "execute":
        this.#execute(request);
        break;
      case "cancel":
        this.#cancel(request);
        break;
    }
  }

  /**
   * Fails the attempt that an uncaught error came from.
   *
   * @returns false if it came from none: then nobody knows what state the thread is in.
   */
  blame(error: unknown, how: string): boolean {
    const context = this.#options.scope.getStore();
    if (context === undefined) return false;
    const cause = attemptError("crashed", error);
    const first = this.#end(context, { kind: "failed", error: { ...cause, message: `${how}: ${cause.message}` } });
    if (first) context.abort("the attempt has crashed");
    else this.#options.voice.log(0, "error", `${how} of ${context.task} in run ${context.runId}, after its end: ${cause.message}`, undefined);
    return true;
  }

  #execute(request: Request & { kind: "execute" }): void {
    const handler = this.#options.catalogue.get(request.handler);
    const context = new AttemptContext(request, this.#options.voice);
    this.#attempts.set(context.id, context);
    if (handler === undefined) {
      this.#end(context, failed("unknown", `No task handler is called ${request.handler}.`));
      return;
    }
    void this.#options.scope.run(context, () => this.#run(context, handler, request.input));
  }

  /** Aborts in the attempt's own scope: what its abort listeners throw is its own fault. */
  #cancel(request: Request & { kind: "cancel" }): void {
    const context = this.#attempts.get(request.id);
    if (context !== undefined) this.#options.scope.run(context, () => context.abort(request.reason));
  }

  async #run(context: AttemptContext, handler: LoadedHandler, input: string): Promise<void> {
    try {
      const output = jsonText(await this.#begin(context, handler, input), LIMITS.payloadBytes);
      if ("text" in output) this.#end(context, { kind: "completed", output: output.text });
      else this.#end(context, failed("result", `The result of ${handler.info.name} ${output.reason}.`));
    } catch (error) {
      this.#end(context, context.aborted ? { kind: "cancelled" } : { kind: "failed", error: attemptError("thrown", error) });
    }
  }

  /** Calls the handler; while it has not yet returned its promise, the thread shows who is executing. */
  #begin(context: AttemptContext, handler: LoadedHandler, input: string): unknown {
    Atomics.store(this.#current, 0, context.id);
    try {
      return handler.run(JSON.parse(input), context);
    } finally {
      Atomics.store(this.#current, 0, 0);
    }
  }

  #end(context: AttemptContext, outcome: AttemptOutcome): boolean {
    if (!context.end()) return false;
    this.#attempts.delete(context.id);
    this.#options.reply({ kind: "ended", id: context.id, outcome });
    return true;
  }
}
