/**
 * Events on their way to the stream: in order for each run, many runs at a time, a bounded number under way. An event of a run is sent when the one before it
 * is stored, so whatever is lost or refused, no event ever stands before an earlier one of its run. Pure: time comes in, what to send comes out.
 */
import type { RunId } from "../../runtime/ids.ts";
import { Ring } from "../../runtime/kernel/ring.ts";
import type { CloudEvent } from "./cloud-event.ts";

/** How long an acknowledgement is awaited before the event is sent again, and the pause after a refusal, in milliseconds. */
const ACK_TIMEOUT_MS = 5_000;
const REFUSED_PAUSE_MS = 250;

/** How much a queue takes. */
export interface QueueBounds {
  readonly length: number;
  readonly chars: number;
  /** Events that are under way at most. */
  readonly window: number;
}

/** Something to send. */
export interface Sending {
  readonly token: number;
  readonly event: CloudEvent;
}

interface Queued {
  readonly event: CloudEvent;
  readonly onDone: (() => void) | undefined;
}

/** The events of one run, the first of which may be under way. */
interface Line {
  readonly queued: Queued[];
}

interface UnderWay {
  readonly line: Line;
  readonly sentAtMs: number;
}

/** A queue. */
export class EventQueue {
  readonly #bounds: QueueBounds;
  readonly #nextToken: () => number;
  readonly #lines = new Map<RunId, Line>();
  /** Lines whose first event may be sent. */
  readonly #ready = new Ring<Line>();
  readonly #underWay = new Map<number, UnderWay>();
  #refused: { readonly line: Line; readonly againAtMs: number }[] = [];
  #length = 0;
  #chars = 0;

  /** `nextToken` gives numbers that no other event on the same stream has. */
  constructor(bounds: QueueBounds, nextToken: () => number) {
    this.#bounds = bounds;
    this.#nextToken = nextToken;
  }

  /** Events that wait or are under way. */
  get length(): number {
    return this.#length;
  }

  /** Events that are under way. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** True if one more would be too many. */
  get isFull(): boolean {
    return this.#length >= this.#bounds.length || this.#chars >= this.#bounds.chars;
  }

  /** Takes an event, the next of its run; false, and nothing is taken, if the queue is full. `onDone` is called once it is stored, or dropped. */
  offer(event: CloudEvent, onDone?: () => void): boolean {
    if (this.isFull) return false;
    this.#length += 1;
    this.#chars += event.text.length;
    const line = this.#lines.get(event.runId);
    if (line !== undefined) line.queued.push({ event, onDone });
    else this.#begin(event.runId, { queued: [{ event, onDone }] });
    return true;
  }

  /** The next event to send, or undefined if none may be sent now. */
  next(nowMs: number): Sending | undefined {
    if (this.#underWay.size >= this.#bounds.window) return undefined;
    let line = this.#ready.shift();
    // Lines that were dropped are empty.
    while (line !== undefined && line.queued.length === 0) line = this.#ready.shift();
    const event = line?.queued[0]?.event;
    if (line === undefined || event === undefined) return undefined;
    const token = this.#nextToken();
    this.#underWay.set(token, { line, sentAtMs: nowMs });
    return { token, event };
  }

  /** An event is stored. False if it is none of those under way: another word about it came before. */
  stored(token: number): boolean {
    const line = this.#landed(token);
    const done = line?.queued.shift();
    if (line === undefined || done === undefined) return false;
    this.#length -= 1;
    this.#chars -= done.event.text.length;
    if (line.queued.length > 0) this.#ready.push(line);
    else this.#lines.delete(done.event.runId);
    done.onDone?.();
    return true;
  }

  /** An event was refused; it is sent again after a pause, and its run waits. */
  refused(token: number, nowMs: number): void {
    const line = this.#landed(token);
    if (line !== undefined) this.#refused.push({ line, againAtMs: nowMs + REFUSED_PAUSE_MS });
  }

  /** The stream was lost: all that is under way is to be sent again, before what was not sent. */
  lost(): void {
    const lines = [...this.#underWay.values()].map(({ line }) => line).reverse();
    this.#underWay.clear();
    for (const line of lines) this.#ready.unshift(line);
  }

  /** True if an event of such a run waits or is under way. */
  has(isMeant: (runId: RunId) => boolean): boolean {
    for (const runId of this.#lines.keys()) if (isMeant(runId)) return true;
    return false;
  }

  /** Takes the events of such runs out: they are not sent any more, and what comes back of those under way means nothing. */
  drop(isMeant: (runId: RunId) => boolean): void {
    for (const [runId, line] of this.#lines) {
      if (!isMeant(runId)) continue;
      this.#lines.delete(runId);
      for (const { event, onDone } of line.queued.splice(0)) {
        this.#length -= 1;
        this.#chars -= event.text.length;
        onDone?.();
      }
    }
  }

  /** Time has passed: what was refused, and what nobody has said a word about, is to be sent again. */
  tick(nowMs: number): void {
    for (const [token, { line, sentAtMs }] of this.#underWay) {
      if (nowMs - sentAtMs < ACK_TIMEOUT_MS) break;
      this.#underWay.delete(token);
      this.#ready.push(line);
    }
    if (this.#refused.length === 0) return;
    const due = this.#refused.filter(({ againAtMs }) => againAtMs <= nowMs);
    this.#refused = this.#refused.filter(({ againAtMs }) => againAtMs > nowMs);
    for (const { line } of due) this.#ready.push(line);
  }

  #begin(runId: RunId, line: Line): void {
    this.#lines.set(runId, line);
    this.#ready.push(line);
  }

  #landed(token: number): Line | undefined {
    const line = this.#underWay.get(token)?.line;
    this.#underWay.delete(token);
    return line;
  }
}
