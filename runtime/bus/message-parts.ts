/**
 * Calls that are too large for one message of the bus, in pieces: how they are cut, and how the node that they are sent to puts them together.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import { MaestroError } from "../errors.ts";
import { newUuid } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Random } from "../random.ts";

/** How long a call whose next piece does not come keeps its room; the caller sends all of it anew. In milliseconds. */
const PATIENCE_MS = 5_000;
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

/** A call of which some pieces are here. */
interface PartialCall {
  readonly pieces: Map<number, Uint8Array>;
  readonly count: number;
  cancelPatience: CancelTimer;
}

/**
 * The calls of one node whose pieces have not all arrived. A call is let in with its first piece, and has room for all of them from then on: so who was let in
 * gets to its end, however many others are refused meanwhile.
 */
export class PartialCalls {
  readonly #clock: Clock;
  readonly #calls = new Map<string, PartialCall>();
  #reservedBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes a piece; answers the whole call if it was the last one that was missing.
   *
   * @throws NODE_OVERLOADED there is no room for one more call, or this one has been given up: it is to be sent anew. FIELD_INVALID
   */
  add(part: MessagePart): Uint8Array | undefined {
    requireValid(part);
    const { callId, place, count, bytes } = part;
    const call = this.#calls.get(callId) ?? this.#admit(part);
    if (call.count !== count) throw invalid("the pieces of a call differ in their count");
    call.cancelPatience();
    call.pieces.set(place, bytes);
    if (call.pieces.size < count) {
      call.cancelPatience = this.#clock.schedule(PATIENCE_MS, () => this.#forget(callId, call));
      return undefined;
    }
    this.#forget(callId, call);
    return Buffer.concat([...call.pieces].sort(([a], [b]) => a - b).map(([, piece]) => piece));
  }

  #admit({ callId, place, count }: MessagePart): PartialCall {
    const bytes = count * LIMITS.callPartBytes;
    // Pieces are sent one after the other, so one in the midst belongs to a call that was given up.
    if (place > 0 || this.#reservedBytes + bytes > LIMITS.partialCallBytes) {
      throw new MaestroError("NODE_OVERLOADED", { facts: { active: this.#calls.size }, retryAfterMs: OVERLOAD_RETRY_MS });
    }
    const call: PartialCall = { pieces: new Map(), count, cancelPatience: () => undefined };
    this.#calls.set(callId, call);
    this.#reservedBytes += bytes;
    return call;
  }

  #forget(callId: string, call: PartialCall): void {
    call.cancelPatience();
    if (this.#calls.delete(callId)) this.#reservedBytes -= call.count * LIMITS.callPartBytes;
  }
}

function requireValid({ place, count, bytes }: MessagePart): void {
  if (count < 1 || count * LIMITS.callPartBytes > LIMITS.partialCallBytes) throw invalid(`a call has no ${count} pieces`);
  if (place < 0 || place >= count) throw invalid(`there is no place ${place} among ${count} pieces`);
  if (bytes.length === 0 || bytes.length > LIMITS.callPartBytes) throw invalid(`it has ${bytes.length} bytes`);
}

function invalid(reason: string): MaestroError {
  return new MaestroError("FIELD_INVALID", { facts: { field: "A piece of a call", reason } });
}
