/**
 * Payloads that are too large for the rows of a table: puts them into the object store before their write is queued, and reads them back. Owns
 * the order of a run's writes meanwhile: what comes behind such a write waits for it, other runs do not. Without an object store payloads of
 * any size stay in the table.
 */
import type { Clock } from "../clock.ts";
import { type ErrorCode, MaestroError, messageOf } from "../errors.ts";
import type { RunId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { bytesOf } from "./batch.ts";
import type { RunPayload, RunWrite } from "./journal.ts";
import { type Lane, overloaded } from "./lane.ts";
import type { ObjectStore } from "./object-store.ts";
import { pause } from "./pause.ts";
import { isIntact, type StoredPayload } from "./stored-rows.ts";

/** A payload of more bytes goes to the object store. */
const ROW_BYTES = 256 * 1024;
/** First and longest delay before an object is stored again, in milliseconds. */
const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 5_000;
/** Refusals after which there is no such run: another has its key, or the store never saw it (who may have sent its creation before reads the store first). */
const NOT_CREATED: ReadonlySet<ErrorCode> = new Set(["IDEMPOTENCY_KEY_REUSED", "JOURNAL_OVERLOADED"]);

/** See the file header. */
export class LargePayloads {
  readonly #objects: ObjectStore | undefined;
  readonly #clock: Clock;
  /** Runs with writes that wait for objects: when the last of them was handed to its lane. */
  readonly #waiting = new Map<RunId, Promise<void>>();
  #waitingBytes = 0;

  constructor(objects: ObjectStore | undefined, clock: Clock) {
    this.#objects = objects;
    this.#clock = clock;
  }

  /** Bytes of the writes that wait. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** True if nothing but essential writes may wait now. */
  get isFull(): boolean {
    return this.#waitingBytes >= LIMITS.laneQueueBytes;
  }

  /** Hands a write to its lane, after its objects are stored. Settles as {@link Journal.append} says. */
  append(write: RunWrite, lane: Lane): Promise<void> {
    const before = this.#waiting.size === 0 ? undefined : this.#waiting.get(write.runId);
    const isLarge = this.#objects !== undefined && write.payloads?.some(isForObjects) === true;
    return before === undefined && !isLarge ? lane.append(write) : this.#appendBehind(write, lane, before);
  }

  #appendBehind(write: RunWrite, lane: Lane, before: Promise<void> | undefined): Promise<void> {
    const bytes = bytesOf(write);
    const isRefused = write.essential !== true && this.#waitingBytes + bytes > LIMITS.laneQueueBytes;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const handOver = async (): Promise<void> => {
      await before;
      const moved = isRefused ? write : await this.#move(write, lane);
      const settled = isRefused ? lane.refuse(write, overloaded(this.#waiting.size)) : lane.append(moved);
      settled.then(resolve, (error: unknown) => this.#forget(write, error, lane).then(() => reject(error)));
    };
    this.#waitingBytes += bytes;
    const handedOver = handOver().finally(() => {
      this.#waitingBytes -= bytes;
      if (this.#waiting.get(write.runId) === handedOver) this.#waiting.delete(write.runId);
    });
    this.#waiting.set(write.runId, handedOver);
    return promise;
  }

  /** Resolves when every write that waits now was handed to its lane. */
  async flush(): Promise<void> {
    await Promise.all(this.#waiting.values());
  }

  /** The bytes of a payload. `stored`: its row, or undefined if there is none. @throws JOURNAL_CORRUPT */
  async read(runId: RunId, seq: number, place: number, stored: StoredPayload | undefined): Promise<Uint8Array> {
    const corrupt = (reason: string): MaestroError => new MaestroError("JOURNAL_CORRUPT", { facts: { runId, seq, reason } });
    if (stored === undefined) throw corrupt(`payload ${place} is missing`);
    if (stored.objectName === undefined) {
      if (!isIntact(runId, seq, place, stored)) throw corrupt(`the checksum of payload ${place} differs`);
      return stored.bytes;
    }
    if (this.#objects === undefined) throw corrupt(`payload ${place} is an object, and this node was given no folder of objects`);
    const bytes = await this.#objects.get(runId, stored.objectName);
    if (bytes === undefined) throw corrupt(`the object of payload ${place} is missing or damaged`);
    return bytes;
  }

  /**
   * The objects of a run that is not created after all are of no use to anybody: a client that repeats a large request with its idempotency key
   * would fill the disk with them. Those of another refused write go when its run goes: it may have been created before, or be created elsewhere.
   */
  async #forget(write: RunWrite, error: unknown, lane: Lane): Promise<void> {
    if (write.create === undefined || !write.payloads?.some(isForObjects)) return;
    if (!(error instanceof MaestroError) || !NOT_CREATED.has(error.code)) return;
    await this.#objects?.removeRun(write.runId).catch((failure: unknown) => lane.noteRetry(1, messageOf(failure)));
  }

  async #move(write: RunWrite, lane: Lane): Promise<RunWrite> {
    if (write.payloads === undefined) return write;
    const payloads: RunPayload[] = [];
    for (const payload of write.payloads) payloads.push(isForObjects(payload) ? await this.#put(write.runId, payload, lane) : payload);
    return { ...write, payloads };
  }

  /** Tries until it is stored, as the lanes do. */
  async #put(runId: RunId, { seq, place, bytes }: RunPayload, lane: Lane): Promise<RunPayload> {
    for (let attempt = 1; ; attempt++) {
      try {
        const objectName = await this.#objects?.put(runId, bytes);
        return objectName === undefined ? { seq, place, bytes } : { seq, place, bytes: new Uint8Array(0), objectName };
      } catch (error) {
        lane.noteRetry(attempt, messageOf(error));
        await pause(Math.min(RETRY_FIRST_MS * 2 ** Math.min(attempt - 1, 16), RETRY_MAX_MS), this.#clock);
      }
    }
  }
}

function isForObjects({ bytes }: RunPayload): boolean {
  return bytes.length > ROW_BYTES;
}
