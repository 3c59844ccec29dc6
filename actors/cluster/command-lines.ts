/**
 * Commands for runs of other nodes, in a line for each run: what waits travels together, and the next lot only when the one before was answered. So commands
 * of one caller are carried out in the order of the calls, also when the run changes its node under way, and thousands for one run share few messages.
 */
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { isAnswer, type RoutedCommand } from "./routed-command.ts";

/** When to try again what was refused because too much waits, in milliseconds. */
const RETRY_AFTER_MS = 1_000;

/** A command that is under way. */
export interface LinedCommand {
  readonly command: RoutedCommand;
  /** It was sent before and may have been carried out. */
  readonly isRepeat: boolean;
}

/**
 * What became of a command as it was sent now: it is committed, it is refused, or it has to be sent again. `mayBeDone`: it may have been carried out
 * all the same.
 */
export type CommandResult = "done" | MaestroError | { readonly again: true; readonly mayBeDone: boolean };

/** What the lines need. */
export interface CommandLinesOptions {
  readonly clock: Clock;
  /** How long a command may wait until it is committed, in milliseconds. */
  readonly timeoutMs: number;
  /** Sends commands of one run in their order, within a time; answers for each. Never rejects. */
  deliver(runId: RunId, commands: readonly LinedCommand[], timeoutMs: number): Promise<readonly CommandResult[]>;
  /** Resolves when it makes sense to send again what could not be delivered. `attempt` counts from 0. */
  pause(attempt: number): Promise<void>;
}

interface Waiting extends LinedCommand {
  isRepeat: boolean;
  readonly untilMs: number;
  readonly resolve: () => void;
  readonly reject: (error: MaestroError) => void;
}

/** The lines of one node. */
export class CommandLines {
  readonly #options: CommandLinesOptions;
  readonly #lines = new Map<RunId, Waiting[]>();
  #count = 0;

  constructor(options: CommandLinesOptions) {
    this.#options = options;
  }

  /** True if commands of the run are under way: the next one has to go behind them. */
  has(runId: RunId): boolean {
    return this.#lines.has(runId);
  }

  /** Puts a command into its run's line; resolves after its commit. @throws ASKS_FULL, TIMED_OUT, and what the run refuses it with */
  add(runId: RunId, command: RoutedCommand): Promise<void> {
    if (this.#count >= LIMITS.routedCommands) {
      return Promise.reject(new MaestroError("ASKS_FULL", { facts: { pending: this.#count }, retryAfterMs: RETRY_AFTER_MS }));
    }
    this.#count += 1;
    return new Promise((resolve, reject) => {
      const untilMs = this.#options.clock.monotonic() + this.#options.timeoutMs;
      const waiting: Waiting = { command, isRepeat: false, untilMs, resolve, reject };
      const line = this.#lines.get(runId);
      if (line !== undefined) return void line.push(waiting);
      this.#lines.set(runId, [waiting]);
      void this.#work(runId);
    });
  }

  async #work(runId: RunId): Promise<void> {
    const line = this.#lines.get(runId) ?? [];
    for (let attempt = 0; line.length > 0; ) {
      const lot = line.slice(0, lengthOfLot(line));
      const leftMs = (lot[0]?.untilMs ?? 0) - this.#options.clock.monotonic();
      const results = leftMs > 0 ? await this.#options.deliver(runId, lot, leftMs) : [];
      const left = lot.filter((waiting, place) => !this.#settle(waiting, results[place]));
      line.splice(0, lot.length, ...left);
      attempt = left.length === lot.length ? attempt + 1 : 0;
      if (left.length > 0) await this.#options.pause(attempt);
    }
    this.#lines.delete(runId);
  }

  /** False if the command has to be sent again. */
  #settle(waiting: Waiting, result: CommandResult = { again: true, mayBeDone: false }): boolean {
    if (result !== "done" && !(result instanceof MaestroError && isAnswer(result, waiting.isRepeat))) {
      if (!(result instanceof MaestroError)) waiting.isRepeat ||= result.mayBeDone;
      if (waiting.untilMs > this.#options.clock.monotonic()) return false;
      waiting.reject(new MaestroError("TIMED_OUT", { facts: { what: "The commit of the request", timeoutMs: this.#options.timeoutMs } }));
    } else if (result === "done") waiting.resolve();
    else waiting.reject(result);
    this.#count -= 1;
    return true;
  }
}

/** As many commands as fit in one message; one at least. */
function lengthOfLot(line: readonly Waiting[]): number {
  let chars = 0;
  for (const [place, { command }] of line.entries()) {
    chars += command.kind === "signal" ? command.signal.payload.length : 0;
    if (place > 0 && (place >= LIMITS.commandsPerCall || chars > LIMITS.commandCallChars)) return place;
  }
  return line.length;
}
