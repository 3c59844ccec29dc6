/**
 * Where an attempt waits to be executed, and which of those that wait comes first: queue, priority, concurrency key. What documents and handlers may say of
 * it, and which of the two counts. Pure.
 */
import { LIMITS } from "../limits.ts";

/** Queue of attempts for which none is named. */
export const DEFAULT_QUEUE = "default";
/** Priority of attempts for which none is given. */
export const DEFAULT_PRIORITY = 3;
/** The last of the priorities, which begin with 1. */
export const LAST_PRIORITY = 5;

/** How much later something may arrive, for each priority that it is ahead, and still go first, in milliseconds. For tests. */
export const AGEING_MS = 10_000;

const QUEUE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** A key's text goes into a database that takes all but this character. */
const FORBIDDEN_IN_KEY = "\u0000";

/** At most so many attempts with the same key are under way at a time, in the whole cluster. The key's space is that of the cluster. */
export interface ConcurrencyLimit {
  readonly key: string;
  /** From 1 to LIMITS.slotsPerKey. */
  readonly limit: number;
}

/** What a handler declares about the place of its attempts among others. A document may say otherwise. */
export interface SchedulingOptions {
  /** Default: `default`. */
  readonly queue?: string;
  /** From 1 (first) to {@link LAST_PRIORITY}. Default: 3. */
  readonly priority?: number;
  /** Attempts that may be under way at a time. Default: no bound. `key`: which of them are counted together; default: all of this handler. */
  readonly concurrency?: { readonly key?: string; readonly limit: number };
}

/** What a document says about it. What is undefined is left to the handler. */
export interface DocumentScheduling {
  readonly queue?: string | undefined;
  readonly priority?: number | undefined;
  readonly concurrency?: ConcurrencyLimit | undefined;
}

/** Where one attempt waits. */
export interface Scheduling {
  readonly queue: string;
  readonly priority: number;
  /** Undefined: it needs no slot. */
  readonly concurrency: ConcurrencyLimit | undefined;
}

/** What holds if neither document nor handler says anything: most attempts share it. */
const NOWHERE_SPECIAL: Scheduling = Object.freeze({ queue: DEFAULT_QUEUE, priority: DEFAULT_PRIORITY, concurrency: undefined });

/** Where an attempt of `handler` waits: as its document says, else as its handler does. */
export function scheduledAs(handler: string, declared: SchedulingOptions | undefined, document: DocumentScheduling | undefined): Scheduling {
  if (document === undefined && (declared === undefined || isUnsaid(declared))) return NOWHERE_SPECIAL;
  return {
    queue: document?.queue ?? declared?.queue ?? DEFAULT_QUEUE,
    priority: document?.priority ?? declared?.priority ?? DEFAULT_PRIORITY,
    concurrency: document?.concurrency ?? limitOf(handler, declared),
  };
}

/**
 * When it is the turn of what arrived at `arrivedMs`: of two that wait, the one with the earlier turn goes first. Among equals the order is that of arrival,
 * and nobody is overtaken but by those that arrive within {@link AGEING_MS} after it for each priority that they are ahead.
 */
export function turnOf(priority: number, arrivedMs: number): number {
  return arrivedMs + (priority - 1) * AGEING_MS;
}

/** What is wrong with the name of a queue, or undefined. */
export function queueFault(name: unknown): string | undefined {
  if (typeof name === "string" && QUEUE.test(name)) return undefined;
  return "must be a name of 1 to 64 letters, digits and . _ -, beginning with a letter or a digit";
}

/** What is wrong with a concurrency key, or undefined. */
export function keyFault(key: unknown): string | undefined {
  if (typeof key === "string" && key !== "" && key.length <= LIMITS.keyLength && !key.includes(FORBIDDEN_IN_KEY)) return undefined;
  return `must be a text of 1 to ${LIMITS.keyLength} characters`;
}

function isUnsaid({ queue, priority, concurrency }: SchedulingOptions): boolean {
  return queue === undefined && priority === undefined && concurrency === undefined;
}

function limitOf(handler: string, declared: SchedulingOptions | undefined): ConcurrencyLimit | undefined {
  if (declared?.concurrency === undefined) return undefined;
  const { key = `handler/${handler}`, limit } = declared.concurrency;
  return { key, limit };
}
