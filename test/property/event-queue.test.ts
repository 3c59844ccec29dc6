/** The way of events to the stream, under everything that a stream can do to a message. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { CloudEvent } from "../../actors/events/cloud-event.ts";
import { EventQueue } from "../../actors/events/event-queue.ts";
import type { RunId } from "../../runtime/ids.ts";

const BOUNDS = { length: 20, chars: 10_000, window: 4 };
const RUNS = 5;

type Step = { readonly kind: "offer"; readonly run: number } | { readonly kind: Fate; readonly pick: number } | { readonly kind: "lose" | "wait" };
/** What becomes of one message that is under way. "silence": stored, and nobody says so; "gone": not stored, and nobody says so. */
type Fate = "store" | "refuse" | "silence" | "gone";

const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("offer" as const), run: fc.nat(RUNS - 1) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom<Fate>("store", "store", "store", "refuse", "silence", "gone"), pick: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("lose" as const, "wait" as const) }) },
);

/** A queue, the stream that it writes to, and what they should agree on. */
class World {
  readonly queue: EventQueue;
  readonly stream: string[] = [];
  readonly offered: string[] = [];
  readonly confirmed = new Set<string>();
  readonly #underWay = new Map<number, CloudEvent>();
  readonly #counts = new Array<number>(RUNS).fill(0);
  #lastToken = 0;
  #nowMs = 0;

  constructor() {
    this.queue = new EventQueue(BOUNDS, () => ++this.#lastToken);
  }

  take(step: Step): void {
    if (step.kind === "offer") this.#offer(step.run);
    else if ("pick" in step) this.#decide(step.kind, step.pick);
    else if (step.kind === "lose") this.#lose();
    else this.#pass(6_000);
    this.#send();
    assert.ok(this.queue.underWay <= BOUNDS.window, "no more are under way than may be");
    assert.ok(this.queue.length <= BOUNDS.length, "no more wait than may");
  }

  /** Everything goes well from now on. */
  finish(): void {
    for (let round = 0; this.queue.length > 0; round++) {
      assert.ok(round < 1_000, "the queue empties");
      this.#pass(6_000);
      this.#send();
      while (this.#underWay.size > 0) this.#decide("store", 0);
    }
  }

  #offer(run: number): void {
    const number = (this.#counts[run] ?? 0) + 1;
    const id = `${run}:${number}`;
    const event: CloudEvent = { runId: `${run}` as RunId, id, atMs: 0, subject: "s", text: id };
    const isFull = this.queue.isFull;
    assert.equal(
      this.queue.offer(event, () => this.confirmed.add(id)),
      !isFull,
    );
    if (isFull) return;
    this.#counts[run] = number;
    this.offered.push(id);
  }

  #send(): void {
    for (let sending = this.queue.next(this.#nowMs); sending !== undefined; sending = this.queue.next(this.#nowMs)) {
      this.#underWay.set(sending.token, sending.event);
    }
  }

  #decide(fate: Fate, pick: number): void {
    const tokens = [...this.#underWay.keys()];
    const token = tokens[pick % Math.max(tokens.length, 1)];
    if (token === undefined) return;
    const { id } = this.#underWay.get(token) as CloudEvent;
    this.#underWay.delete(token);
    if ((fate === "store" || fate === "silence") && !this.stream.includes(id)) this.stream.push(id);
    if (fate === "store") this.queue.stored(token);
    if (fate === "refuse") this.queue.refused(token, this.#nowMs);
  }

  #lose(): void {
    this.#underWay.clear();
    this.queue.lost();
  }

  #pass(durationMs: number): void {
    this.#nowMs += durationMs;
    this.queue.tick(this.#nowMs);
  }
}

describe("the queue of events", () => {
  it("stores every event, those of a run in their order, whatever happens to messages", () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 150, size: "max" }), (steps) => {
        const world = new World();
        for (const step of steps) {
          world.take(step);
          for (const id of world.confirmed) assert.ok(world.stream.includes(id), "what counts as stored is stored");
        }
        world.finish();
        const ofRun = (ids: readonly string[], run: number): readonly string[] => ids.filter((id) => id.startsWith(`${run}:`));
        for (let run = 0; run < RUNS; run++) assert.deepEqual(ofRun(world.stream, run), ofRun(world.offered, run));
        assert.equal(world.confirmed.size, world.offered.length);
      }),
      { numRuns: 300 },
    );
  });
});
