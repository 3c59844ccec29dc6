/**
 * The life of a node as named stages: run forward to start, backward to stop, each with a deadline. If a stage fails to start, the stages
 * before it are stopped, so that a failed start leaves nothing behind. It does not know what the stages do.
 */
import type { CancelTimer, Clock } from "../runtime/clock.ts";
import { MaestroError } from "../runtime/errors.ts";

/** One stage. */
export interface Stage {
  /** A noun for logs and complaints: "database", "gateway". */
  readonly name: string;
  start(): Promise<void> | void;
  /** Called only if `start` succeeded. */
  stop?(): Promise<void> | void;
  /** Default 60,000. */
  readonly startTimeoutMs?: number;
  /** Default 15,000. */
  readonly stopTimeoutMs?: number;
}

/** Hears what the stages do. */
export interface LifecycleObserver {
  stageStarted(stage: string, durationMs: number): void;
  stageStopped(stage: string, durationMs: number): void;
  /** A stage could not be stopped in order. The stages before it are stopped nevertheless. */
  stageFailedToStop(stage: string, error: unknown): void;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

/** Runs stages. Starts once, stops once. */
export class Lifecycle {
  readonly #stages: readonly Stage[];
  readonly #clock: Clock;
  readonly #observer: LifecycleObserver;
  readonly #started: Stage[] = [];
  #starting: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(stages: readonly Stage[], clock: Clock, observer: LifecycleObserver) {
    this.#stages = stages;
    this.#clock = clock;
    this.#observer = observer;
  }

  /**
   * Starts the stages in order.
   *
   * @throws what a stage threw, or TIMED_OUT naming the stage, or NODE_STOPPING if it was stopped meanwhile; all is stopped again by then.
   */
  async start(): Promise<void> {
    // In a later turn, so that a stage which stops the node at once finds the start under way.
    this.#starting = Promise.resolve().then(() => this.#startAll());
    try {
      await this.#starting;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Stops what was started, in reverse order, once the stage that is just starting has started. Never rejects; a second call waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#starting.then(
      () => this.#stopAll(),
      () => this.#stopAll(),
    );
    return this.#stopping;
  }

  async #startAll(): Promise<void> {
    for (const stage of this.#stages) {
      const startedAtMs = this.#clock.monotonic();
      await this.#within(stage.startTimeoutMs ?? START_TIMEOUT_MS, `The start of the stage "${stage.name}"`, () => stage.start());
      this.#started.push(stage);
      this.#observer.stageStarted(stage.name, this.#clock.monotonic() - startedAtMs);
      if (this.#stopping !== undefined) throw new MaestroError("NODE_STOPPING");
    }
  }

  async #stopAll(): Promise<void> {
    for (let stage = this.#started.pop(); stage !== undefined; stage = this.#started.pop()) {
      const { name, stopTimeoutMs = STOP_TIMEOUT_MS } = stage;
      const startedAtMs = this.#clock.monotonic();
      try {
        await this.#within(stopTimeoutMs, `The stop of the stage "${name}"`, () => stage?.stop?.());
        this.#observer.stageStopped(name, this.#clock.monotonic() - startedAtMs);
      } catch (error) {
        this.#observer.stageFailedToStop(name, error);
      }
    }
  }

  async #within(timeoutMs: number, what: string, work: () => Promise<void> | void): Promise<void> {
    let cancel: CancelTimer | undefined;
    const deadline = new Promise<never>((_, reject) => {
      cancel = this.#clock.schedule(timeoutMs, () => reject(new MaestroError("TIMED_OUT", { facts: { what, timeoutMs } })));
    });
    try {
      await Promise.race([work(), deadline]);
    } finally {
      cancel?.();
    }
  }
}
