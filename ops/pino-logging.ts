/**
 * Logs by pino: JSON lines, or coloured text on a terminal. Subscribes to a node's events by the rows of `log-table.ts`; the node's own
 * code logs only what no event tells (its stages).
 */
import { type Logger, type LoggerOptions, pino } from "pino";
import pretty from "pino-pretty";
import { MaestroError, messageOf } from "../runtime/errors.ts";
import type { EventHub, EventListener, EventName, RuntimeEvents } from "../runtime/events.ts";
import { type LineLevel, LOG_TABLE, type LogRow } from "./log-table.ts";
import { type LogLevel, SETTINGS } from "./settings.ts";

/** Writes lines. The facts of a line are its fields; the message is constant text that can be searched for. */
export interface NodeLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Writes out what is buffered. */
  close(): void;
}

/** Where lines go and which. */
export interface LogOptions {
  readonly level: LogLevel;
  /** Coloured text instead of JSON. */
  readonly pretty: boolean;
  /** File to append to; undefined for the standard output. */
  readonly file: string | undefined;
  /** Fields of every line. */
  readonly base: Readonly<Record<string, string | number>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Nobody reads the standard output any more: its pipe is broken, or its terminal gone. Called once; what is logged from then on is dropped. */
  readonly onLost: () => void;
}

/** Opens a log. */
export function openLog(options: LogOptions): NodeLog {
  const logger = createLogger(options);
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    close: () => logger.flush(),
  };
}

/** Logs a node's events from now on. The returned function ends it. Rows below the log's level cost nothing. */
export function logEvents(events: EventHub, log: NodeLog, level: LogLevel): () => void {
  const names = Object.keys(LOG_TABLE) as EventName[];
  const stops = names.flatMap((name) => subscribe(events, name, log, level) ?? []);
  return () => {
    for (const stop of stops) stop();
  };
}

function subscribe<N extends EventName>(events: EventHub, name: N, log: NodeLog, level: LogLevel): (() => void) | undefined {
  const row: LogRow<N> | undefined = LOG_TABLE[name];
  if (row === undefined || !(row.level === "event" || isLoud(row.level, level))) return undefined;
  const { message, fields, when } = row;
  const listener: EventListener<N> = (event) => {
    if (when?.(event) === false) return;
    const line = row.level === "event" ? levelOf(event) : row.level;
    log[line]({ event: name, ...(fields?.(event) ?? event) }, typeof message === "string" ? message : message(event));
  };
  return events.on(name, listener);
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];

function isLoud(line: LineLevel, level: LogLevel): boolean {
  return ORDER.indexOf(line) >= ORDER.indexOf(level);
}

function levelOf(event: RuntimeEvents[EventName]): LineLevel {
  return "level" in event ? event.level : "info";
}

function createLogger({ level, pretty: isPretty, file, base, now, onLost }: LogOptions): Logger {
  const options: LoggerOptions = {
    level,
    base,
    timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  };
  // Synchronous writes: a log whose last lines are missing after a crash is of no use, and hot paths don't log.
  if (file !== undefined) return pino(options, destinationOf(file));
  const destination = standardOutput(onLost);
  if (!isPretty) return pino(options, destination);
  return pino(options, pretty({ destination, colorize: true, ignore: "pid,hostname,node,boot,event", translateTime: "SYS:HH:MM:ss.l" }));
}

function standardOutput(onLost: () => void): ReturnType<typeof pino.destination> {
  const destination = pino.destination({ dest: 1, sync: true });
  let isLost = false;
  destination.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    if (isLost) return;
    isLost = true;
    // It would keep what it could not write.
    destination.write = () => true;
    // Not in the middle of whatever logged the line.
    queueMicrotask(onLost);
  });
  return destination;
}

/** A file in a folder that is there: one that somebody named may be a share that is not mounted, or misspelt. @throws CONFIG_INVALID */
function destinationOf(file: string): ReturnType<typeof pino.destination> {
  try {
    return pino.destination({ dest: file, sync: true, mkdir: false });
  } catch (error) {
    const description = `can't be written: ${messageOf(error)}`;
    throw new MaestroError("CONFIG_INVALID", {
      facts: { problems: `${SETTINGS.logFile.env} ${description}` },
      violations: [{ field: SETTINGS.logFile.env, description }],
    });
  }
}
