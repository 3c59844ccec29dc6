/**
 * Calls that are too large for one message of the bus, in pieces: how they are cut, and how the node that they are sent to puts them together.
 */
import type { Clock } from "../clock.ts";
import { MaestroError } from "../errors.ts";
import { newUuid } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Random } from "../random.ts";

/** Pieces that are still missing after this time are lost; the caller sends all of them anew. In milliseconds. */
const PATIENCE_MS = 10_000;
/** When an overloaded node may be asked again, in milliseconds. */
const OVERLOAD_RETRY_MS = 1_000;

/** A piece of a call. */
export interface MessagePart {
  /** Chosen by the sender, anew for each time that the call is sent. */
  readonly callId: string;
  /** Counted from 0. */
  readonly place: number;
  /** How many pieces there are. */
  readonly count: number;
  readonly bytes: Buffer;
}

/** The pieces of a call; none if it fits in one message. */
export function partsOf(payload: Uint8Array, random: Random): readonly MessagePart[] {
  if (payload.length <= LIMITS.callPartBytes) return [];
  const count = Math.ceil(payload.length / LIMITS.callPartBytes);
  const callId = newUuid(random);
  return Array.from({ length: count }, (_, place) => {
    const piece = payload.subarray(place * LIMITS.callPartBytes, (place + 1) * LIMITS.callPartBytes);
    return { callId, place, count, bytes: Buffer.from(piece) };
  });
}

interface Partial {
  readonly pieces: Map<number, Uint8Array>;
  readonly cancel: () => void;
}

/** The calls of one node whose pieces have not all arrived. */
export class PartialCalls {
  readonly #clock: Clock;
  readonly #calls = new Map<string, Partial>();
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes a piece; answers the whole call if it was the last one that was missing. @throws NODE_OVERLOADED */
  add({ callId, place, count, bytes }: MessagePart): Uint8Array | undefined {
    if (this.#bytes + bytes.length > LIMITS.partialCallBytes) {
      throw new MaestroError("NODE_OVERLOADED", { facts: { active: this.#calls.size }, retryAfterMs: OVERLOAD_RETRY_MS });
    }
    const call = this.#calls.get(callId) ?? {
      pieces: new Map<number, Uint8Array>(),
      cancel: this.#clock.schedule(PATIENCE_MS, () => this.#forget(callId)),
    };
    this.#calls.set(callId, call);
    if (!call.pieces.has(place)) this.#bytes += bytes.length;
    call.pieces.set(place, bytes);
    if (call.pieces.size < count) return undefined;
    this.#forget(callId);
    return Buffer.concat([...call.pieces].sort(([a], [b]) => a - b).map(([, piece]) => piece));
  }

  #forget(callId: string): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    call.cancel();
    this.#calls.delete(callId);
    for (const piece of call.pieces.values()) this.#bytes -= piece.length;
  }
}
