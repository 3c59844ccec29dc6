/**
 * A stream of the gateway (a run's history, events) as an async iterable that outlives connections: when the stream breaks for a reason that passes, a new
 * one goes on after the last item.
 */
import type { ClientReadableStream } from "@grpc/grpc-js";
import type { Clock } from "../runtime/clock.ts";
import type { MaestroError } from "../runtime/errors.ts";
import { fromCallError } from "./grpc-client-errors.ts";

/** How a stream is made and kept up. */
export interface ResumableSource<Response, Item> {
  /** For error messages. */
  readonly method: string;
  /** The gateway's address, for error messages. */
  readonly address: string;
  readonly clock: Clock;
  /** Opens a stream after an item; undefined: from where it was asked to begin. */
  readonly open: (last: Item | undefined) => ClientReadableStream<Response>;
  readonly itemOf: (response: Response) => Item | undefined;
  /** Aborting it ends the iteration. */
  readonly signal: AbortSignal | undefined;
}

/** Times in a row that a stream may break without a new entry before the watch gives up. */
const FAILURES_MAX = 8;
/** Wait before the first retry; it doubles with each failure. */
const RETRY_DELAY_MS = 100;
const RETRY_DELAY_MAX_MS = 5_000;

/** The items until the stream ends. @throws MaestroError that does not pass, or that came FAILURES_MAX times in a row. */
export async function* resumable<Response, Item>(source: ResumableSource<Response, Item>): AsyncGenerator<Item, void, undefined> {
  let last: Item | undefined;
  for (let failures = 0; ; failures += 1) {
    const stream = source.open(last);
    const cancel = (): void => stream.cancel();
    source.signal?.addEventListener("abort", cancel);
    if (source.signal?.aborted === true) cancel();
    try {
      for await (const response of stream as AsyncIterable<Response>) {
        const item = source.itemOf(response);
        if (item === undefined) continue;
        last = item;
        failures = 0;
        yield item;
      }
      return;
    } catch (error) {
      if (source.signal?.aborted === true) return;
      const reason = fromCallError(error, { address: source.address, method: source.method, timeoutMs: undefined });
      if (!reason.retryable || failures + 1 >= FAILURES_MAX) throw reason;
      await retryDelay(source, reason, failures);
    } finally {
      source.signal?.removeEventListener("abort", cancel);
      stream.cancel();
    }
  }
}

function retryDelay(source: Pick<ResumableSource<unknown, unknown>, "clock" | "signal">, reason: MaestroError, failures: number): Promise<void> {
  const delayMs = reason.retryAfterMs ?? Math.min(RETRY_DELAY_MS * 2 ** failures, RETRY_DELAY_MAX_MS);
  return new Promise((resolve) => {
    const done = (): void => {
      cancelTimer();
      source.signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancelTimer = source.clock.schedule(delayMs, done);
    source.signal?.addEventListener("abort", done);
  });
}
