/**
 * What attempts say beside their result: log lines and heartbeats, bounded before they leave the thread. A heartbeat is said once a turn
 * however often it is given; lines beyond the bound of a turn are dropped and counted.
 */
import type { AsyncLocalStorage } from "node:async_hooks";
import { format } from "node:util";
import { LIMITS } from "../limits.ts";
import type { AttemptContext, AttemptVoice } from "./attempt-context.ts";
import { cutText, jsonText } from "./bounded-text.ts";
import type { LogLevel, Reply, WireId } from "./protocol.ts";

const CONSOLE_LEVELS = { debug: "debug", log: "info", info: "info", warn: "warn", error: "error", trace: "debug" } as const;

/** The voice of one worker thread. */
export class ThreadVoice implements AttemptVoice {
  readonly #reply: (reply: Reply) => void;
  readonly #beating = new Set<WireId>();
  #lines = 0;

  constructor(reply: (reply: Reply) => void) {
    this.#reply = reply;
  }

  log(id: WireId, level: LogLevel, message: string, data: unknown): void {
    this.#lines += 1;
    if (this.#lines > LIMITS.logLinesPerTurn) return;
    const json = data === undefined ? { text: "" } : jsonText(data, LIMITS.logLineBytes);
    const text = cutText(String(message), LIMITS.logLineBytes);
    if ("text" in json) this.#reply({ kind: "log", id, level, message: text, data: json.text });
    else this.#reply({ kind: "log", id, level, message: `${text} (data left out: it ${json.reason})`, data: "" });
  }

  heartbeat(id: WireId): void {
    if (this.#beating.has(id)) return;
    this.#beating.add(id);
    this.#reply({ kind: "heartbeat", id });
  }

  /** Begins a new turn. Returns the reply that tells of dropped lines, if there are any. */
  turn(): Reply | undefined {
    const dropped = this.#lines - LIMITS.logLinesPerTurn;
    this.#lines = 0;
    this.#beating.clear();
    if (dropped <= 0) return undefined;
    return { kind: "log", id: 0, level: "warn", message: `${dropped} log lines of tasks were dropped`, data: "" };
  }

  /** Makes the thread's console write to the log of the attempt that calls it. */
  captureConsole(scope: AsyncLocalStorage<AttemptContext>): void {
    for (const [method, level] of Object.entries(CONSOLE_LEVELS)) {
      Reflect.set(console, method, (...values: unknown[]) => this.log(scope.getStore()?.id ?? 0, level, format(...values), undefined));
    }
  }
}
