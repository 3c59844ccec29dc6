/** Who is let in when a node is full, in which order, and what becomes of the others. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Admission, type AdmissionBounds, PATIENCE_MS } from "../../../actors/run/admission.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { newRunId, type RunId } from "../../../runtime/ids.ts";
import { platformScheduler } from "../../../runtime/kernel/scheduler.ts";
import { seededRandom } from "../../../runtime/random.ts";

const BOUNDS: AdmissionBounds = { queueLength: 32, activeRuns: 2 };
/** Of the queue: where streams are held back, and what strict admission uses. */
const CROWDED = 16;
const STRICT = 2;
const TURN_MS = 50;

/** A node of which only the number of runs under way is there. */
class Scene {
  readonly clock = virtualClock();
  readonly admission: Admission;
  /** What became of the starts: their numbers, in the order in which they were let in, or the code that they were refused with. */
  readonly entered: number[] = [];
  readonly refused = new Map<number, string>();
  active = 0;
  mostActive = 0;
  #started = 0;

  constructor(bounds = BOUNDS) {
    const random = seededRandom(1);
    this.admission = new Admission({
      ...{ clock: this.clock, scheduler: platformScheduler() },
      bounds,
      activeCount: () => this.active,
      load: () => ({ runs: this.active, writesWait: false, tasksActive: 0, tasksQueued: 0 }),
      admit: (): RunId => {
        this.active += 1;
        this.mostActive = Math.max(this.mostActive, this.active);
        return newRunId(0, this.clock.now(), random);
      },
    });
  }

  /** Starts a run; answers its number. */
  start(signal?: AbortSignal): number {
    this.#started += 1;
    const number = this.#started;
    const entering = (async () => this.admission.enter(signal))();
    entering.then(
      () => this.entered.push(number),
      (error: unknown) => this.refused.set(number, error instanceof MaestroError ? error.code : String(error)),
    );
    return number;
  }

  startMany(count: number): void {
    for (let started = 0; started < count; started += 1) this.start();
  }

  /** The oldest run ends with a commit. */
  async end(count = 1): Promise<void> {
    for (let ended = 0; ended < count && this.active > 0; ended += 1) {
      this.active -= 1;
      this.admission.committed(1);
    }
    await settled();
  }

  async pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += TURN_MS) {
      this.clock.advance(TURN_MS);
      await settled();
    }
  }
}

/** Lets promises that are settled tell so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A node whose queue was long for so long that it is strict now. */
async function strictScene(): Promise<Scene> {
  const scene = new Scene();
  scene.startMany(2 + CROWDED);
  for (let passedMs = 0; passedMs <= PATIENCE_MS; passedMs += TURN_MS) {
    await scene.pass(TURN_MS);
    // As many come as are let in: the queue stays long, and nobody waits for too long.
    if (passedMs % 200 === 0) {
      await scene.end(2);
      scene.startMany(2);
      await settled();
    }
  }
  return scene;
}

describe("admission", () => {
  it("lets runs in at once while there is room, and the others in their order as runs end", async () => {
    const scene = new Scene();
    scene.startMany(5);
    await settled();
    assert.deepEqual(scene.entered, [1, 2]);
    await scene.end();
    assert.deepEqual(scene.entered, [1, 2, 3]);
    await scene.end(2);
    assert.deepEqual(scene.entered, [1, 2, 3, 4, 5]);
    assert.equal(scene.mostActive, 2);
  });

  it("says how full the node is, by what it can carry now", async () => {
    const scene = new Scene({ queueLength: 10_000, activeRuns: 2_000 });
    assert.equal(scene.admission.fullness, 0);
    scene.startMany(400);
    await settled();
    assert.equal(scene.admission.fullness, 0.8, "of the 500 that are always let in");
    scene.active = 1_000;
    scene.admission.committed(40);
    scene.clock.advance(200);
    assert.equal(scene.admission.fullness, 0.8, "delays of 40 ms where 50 are borne");
    scene.admission.committed(500);
    scene.clock.advance(200);
    assert.equal(scene.admission.fullness, 1, "it is too slow for what it has");
    scene.active = 10;
    scene.clock.advance(200);
    assert.equal(scene.admission.fullness, 0.02, "and is told as soon as that has ended, without any start");
  });

  it("lets in also when a run ended without a commit", async () => {
    const scene = new Scene();
    scene.startMany(3);
    scene.active -= 1;
    await scene.pass(TURN_MS);
    assert.deepEqual(scene.entered, [1, 2, 3]);
  });

  it("refuses a start that has waited for too long, and says when to come back", async () => {
    const scene = new Scene();
    scene.startMany(3);
    await scene.pass(PATIENCE_MS - TURN_MS);
    assert.equal(scene.refused.size, 0);
    await scene.pass(2 * TURN_MS);
    assert.deepEqual([...scene.refused], [[3, "NODE_OVERLOADED"]]);
    assert.equal(scene.admission.overloaded().retryAfterMs, 1_000);
  });

  it("refuses at once what has no place in the queue", async () => {
    const scene = new Scene();
    scene.startMany(2 + BOUNDS.queueLength);
    assert.throws(() => scene.admission.requireRoom(), { code: "NODE_OVERLOADED" });
    const last = scene.start();
    await settled();
    assert.deepEqual([...scene.refused.keys()], [last]);
  });

  it("forgets a start whose caller has gone", async () => {
    const scene = new Scene();
    scene.startMany(2);
    const caller = new AbortController();
    const gone = scene.start(caller.signal);
    const next = scene.start();
    caller.abort();
    await settled();
    assert.equal(scene.refused.get(gone), "REQUEST_CANCELLED");
    await scene.end();
    assert.deepEqual(scene.entered, [1, 2, next]);
  });

  it("lets nobody in any more once it is closed, and calls back everyone", async () => {
    const scene = new Scene();
    scene.startMany(2 + CROWDED);
    const called: number[] = [];
    for (const stream of [1, 2, 3]) scene.admission.onceRoomy(() => called.push(stream));
    scene.admission.close(new MaestroError("NODE_STOPPING"));
    scene.start();
    await settled();
    assert.deepEqual([called, new Set(scene.refused.values())], [[1, 2, 3], new Set(["NODE_STOPPING"])]);
    assert.equal(scene.refused.size, CROWDED + 1);
  });

  it("is crowded from half of the queue on, and calls streams back one at a time when it is not", async () => {
    const scene = new Scene();
    scene.startMany(2 + CROWDED - 1);
    assert.equal(scene.admission.isCrowded, false);
    scene.start();
    assert.equal(scene.admission.isCrowded, true);
    const called: number[] = [];
    for (const stream of [1, 2, 3]) scene.admission.onceRoomy(() => called.push(stream));
    const giveUp = scene.admission.onceRoomy(() => called.push(4));
    giveUp();
    await scene.end();
    assert.deepEqual(called, [1]);
    await scene.end(2);
    assert.deepEqual(called, [1, 2], "what the second brings has to be known first");
    await scene.end();
    assert.deepEqual(called, [1, 2, 3]);
  });

  it("calls back every stream, also when nothing happens any more on the node", async () => {
    const scene = new Scene();
    scene.startMany(2 + CROWDED);
    const called: number[] = [];
    for (const stream of [1, 2, 3, 4]) scene.admission.onceRoomy(() => called.push(stream));
    scene.active = 0;
    for (let turn = 0; turn < CROWDED; turn += 1) {
      await scene.pass(TURN_MS);
      scene.active = 0;
    }
    assert.deepEqual([scene.admission.queued, called], [0, [1, 2, 3, 4]]);
    for (const stream of [5, 6]) scene.admission.onceRoomy(() => called.push(stream));
    await scene.pass(2 * TURN_MS);
    assert.deepEqual(called, [1, 2, 3, 4, 5, 6]);
  });

  it("becomes strict when the queue is long for long: it keeps the queue short and refuses the rest at once", async () => {
    const scene = await strictScene();
    assert.throws(() => scene.admission.requireRoom(), { code: "NODE_OVERLOADED" });
    for (let ended = 0; ended < CROWDED; ended += 1) await scene.end(2);
    assert.equal(scene.admission.queued, 0);
    scene.startMany(2 + STRICT - 1 - scene.active);
    scene.admission.requireRoom();
    scene.start();
    assert.throws(() => scene.admission.requireRoom(), { code: "NODE_OVERLOADED" });
  });

  it("becomes strict when a start has waited in vain", async () => {
    const scene = new Scene();
    scene.startMany(3);
    await scene.pass(PATIENCE_MS);
    assert.equal(scene.refused.size, 1);
    scene.startMany(STRICT);
    assert.throws(() => scene.admission.requireRoom(), { code: "NODE_OVERLOADED" });
  });

  it("holds back what it could only refuse, once it has refused as much as it can afford", async () => {
    const scene = await strictScene();
    assert.equal(scene.admission.isCrowded, false, "runs were let in, so some refusals can be afforded");
    for (let refused = 0; !scene.admission.isCrowded; refused += 1) {
      assert.throws(() => scene.admission.requireRoom(), { code: "NODE_OVERLOADED" });
      assert.ok(refused < 1_000, "refusals are bounded");
    }
    await scene.end();
    assert.equal(scene.admission.isCrowded, false, "one more run was let in");
  });

  it("is patient again when nothing had to be refused for long", async () => {
    const scene = await strictScene();
    for (let ended = 0; ended < CROWDED; ended += 1) await scene.end(2);
    await scene.pass(2 * PATIENCE_MS);
    scene.startMany(2 + CROWDED);
    assert.doesNotThrow(() => scene.admission.requireRoom());
  });

  it("settles every start once, lets them in in their order, and never too many", async () => {
    const happening = fc.oneof(
      fc.record({ kind: fc.constant("start" as const), count: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ kind: fc.constant("end" as const), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant("pass" as const), count: fc.integer({ min: 1, max: 30 }) }),
    );
    const law = fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (happenings) => {
      const scene = new Scene();
      let started = 0;
      for (const { kind, count } of happenings) {
        if (kind === "end") await scene.end(count);
        else if (kind === "pass") await scene.pass(count * TURN_MS);
        else {
          scene.startMany(count);
          started += count;
        }
      }
      await scene.pass(2 * PATIENCE_MS);
      assert.equal(scene.entered.length + scene.refused.size, started);
      assert.deepEqual(
        scene.entered,
        [...scene.entered].sort((a, b) => a - b),
      );
      assert.ok(scene.mostActive <= BOUNDS.activeRuns);
      assert.equal(scene.admission.queued, 0);
    });
    await fc.assert(law, { numRuns: 50 });
  }).timeout(20_000);
});
