/**
 * A run's history as an async iterable that outlives connections: when a stream breaks for a reason that passes, a new one goes on after
 * the last entry. Every entry comes once and in order.
 */
import type { ClientReadableStream } from "@grpc/grpc-js";
import type { HistoryEntry, WatchRunResponse } from "../proto/gen/maestro/v1/run_service.ts";
import type { Clock } from "../runtime/clock.ts";
import type { MaestroError } from "../runtime/errors.ts";
import { fromCallError } from "./grpc-client-errors.ts";

/** How a watch is made and kept up. */
export interface WatchSource {
  /** The gateway's address, for error messages. */
  readonly address: string;
  readonly clock: Clock;
  /** Opens a stream of the history from a sequence number on. */
  readonly open: (fromSeq: number) => ClientReadableStream<WatchRunResponse>;
  /** Aborting it ends the iteration. */
  readonly signal: AbortSignal | undefined;
}

/** Times in a row that a stream may break without a new entry before the watch gives up. */
const FAILURES_MAX = 8;
/** Wait before the first retry; it doubles with each failure. */
const RETRY_DELAY_MS = 100;
const RETRY_DELAY_MAX_MS = 5_000;

/** The entries from `fromSeq` until the run has ended. @throws MaestroError that does not pass, or that came FAILURES_MAX times in a row. */
export async function* watchHistory(source: WatchSource, fromSeq: number): AsyncGenerator<HistoryEntry, void, undefined> {
  let nextSeq = Math.max(fromSeq, 1);
  for (let failures = 0; ; failures += 1) {
    const stream = source.open(nextSeq);
    const cancel = (): void => stream.cancel();
    source.signal?.addEventListener("abort", cancel);
    if (source.signal?.aborted === true) cancel();
    try {
      for await (const { entry } of stream as AsyncIterable<WatchRunResponse>) {
        if (entry === undefined) continue;
        nextSeq = entry.seq + 1;
        failures = 0;
        yield entry;
      }
      return;
    } catch (error) {
      if (source.signal?.aborted === true) return;
      const reason = fromCallError(error, { address: source.address, method: "Watch", timeoutMs: undefined });
      if (!reason.retryable || failures + 1 >= FAILURES_MAX) throw reason;
      await retryDelay(source, reason, failures);
    } finally {
      source.signal?.removeEventListener("abort", cancel);
      stream.cancel();
    }
  }
}

function retryDelay(source: WatchSource, reason: MaestroError, failures: number): Promise<void> {
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
