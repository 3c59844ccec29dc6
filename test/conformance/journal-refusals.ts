/** What every journal must do after it refused a write: the run's history gets no gap, whatever its actor sends before it hears of it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { Journal, RunWrite } from "../../runtime/storage/journal.ts";
import type { LaneBounds } from "../../runtime/storage/lane.ts";
import { createWrite, entryWrite, headWrite, RUNNING, runIdOn } from "../support/run-writes.ts";
import type { StorageBed } from "./bed.ts";

const WAITING = { status: "waiting", wake: 4 } as const;
/** A head that the store can't hold. */
const POISON = { head: { ...RUNNING, wake: 40_000 } };
const TIGHT: LaneBounds = { queueWrites: 3, queueBytes: 1_000_000, refusedRuns: 100 };

const codeOf = async (append: Promise<void>): Promise<string> =>
  append.then(
    () => "stored",
    (error: MaestroError) => error.code,
  );

/** Declares the cases. `bed`: that of the case that runs. */
export function refusalCases(bed: () => StorageBed): void {
  const open = async (bounds: Partial<LaneBounds> = {}): Promise<Journal> => (await bed().boot("a", 1, { ...TIGHT, ...bounds })).journal;

  it("stores nothing behind a refused first write until the run begins again", async () => {
    const journal = await open();
    const [owner, refused] = [runIdOn(), runIdOn()];
    const key = `owned ${owner}`;
    await journal.append(createWrite(owner, { key }));
    const writes = [createWrite(refused, { key }), entryWrite(refused, 2), headWrite(refused, WAITING), entryWrite(refused, 3, { essential: true })];
    for (const write of writes) assert.equal(await codeOf(journal.append(write)), "IDEMPOTENCY_KEY_REUSED");
    assert.deepEqual([await historyOf(journal, refused), await journal.find(refused)], ["", undefined]);
    await journal.append(createWrite(refused));
    await journal.append(entryWrite(refused, 2));
    assert.equal(await historyOf(journal, refused), "1;2;");
  });

  it("refuses to create a run twice, and takes what that run writes afterwards", async () => {
    const journal = await open();
    const [runId, keyed] = [runIdOn(), runIdOn()];
    const key = `of ${keyed}`;
    await Promise.all([createWrite(runId), createWrite(keyed, { key })].map((write) => journal.append(write)));
    const other = { entries: Buffer.from("other") };
    const again = [createWrite(runId), createWrite(keyed, { key })].map((write) => codeOf(journal.append({ ...write, ...other })));
    assert.deepEqual(await Promise.all(again), ["RUN_EXISTS", "RUN_EXISTS"]);
    for (const id of [runId, keyed]) {
      await journal.append(headWrite(id, WAITING));
      await journal.append(entryWrite(id, 2));
      assert.deepEqual([await historyOf(journal, id), (await journal.find(id))?.status], ["1;2;", "waiting"]);
    }
  });

  it("stores nothing behind a rejected write but heads until the run goes on from there", async () => {
    const journal = await open();
    const runId = runIdOn();
    await journal.append(createWrite(runId));
    const writes = [entryWrite(runId, 2, POISON), entryWrite(runId, 3), headWrite(runId, WAITING), entryWrite(runId, 4)];
    const codes: string[] = [];
    for (const write of writes) codes.push(await codeOf(journal.append(write)));
    assert.deepEqual(codes, ["JOURNAL_REJECTED", "JOURNAL_REJECTED", "stored", "JOURNAL_REJECTED"]);
    assert.equal((await journal.find(runId))?.status, "waiting");
    for (const seq of [2, 3]) await journal.append(entryWrite(runId, seq));
    assert.equal(await historyOf(journal, runId), "1;2;3;");
  });

  it("takes a head that was queued behind a write which is rejected, but not one of a run that was not created", async () => {
    const journal = await open();
    const [runId, owner, refused] = [runIdOn(), runIdOn(), runIdOn()];
    const key = `owned ${owner}`;
    await Promise.all([createWrite(runId), createWrite(owner, { key })].map((write) => journal.append(write)));
    const another = entryWrite(runId, 1, { entries: Buffer.from("other") });
    const behind = [another, headWrite(runId, WAITING)].map((write) => codeOf(journal.append(write)));
    assert.deepEqual(await Promise.all(behind), ["JOURNAL_REJECTED", "stored"]);
    assert.equal((await journal.find(runId))?.status, "waiting");
    const uncreated = [createWrite(refused, { key }), headWrite(refused, WAITING)].map((write) => codeOf(journal.append(write)));
    assert.deepEqual(await Promise.all(uncreated), ["IDEMPOTENCY_KEY_REUSED", "IDEMPOTENCY_KEY_REUSED"]);
  });

  it("stores nothing behind a write that came while the queue was full, essential or not", async () => {
    const journal = await open();
    const runId = runIdOn();
    const taken = [createWrite(runId), entryWrite(runId, 2), entryWrite(runId, 3)].map((write) => journal.append(write));
    assert.equal(await codeOf(journal.append(entryWrite(runId, 4))), "JOURNAL_OVERLOADED");
    await Promise.all(taken);
    assert.equal(await codeOf(journal.append(entryWrite(runId, 5, { essential: true }))), "JOURNAL_OVERLOADED");
    assert.equal(await codeOf(journal.append(createWrite(runIdOn()))), "stored");
    for (const seq of [4, 5]) await journal.append(entryWrite(runId, seq));
    assert.equal(await historyOf(journal, runId), "1;2;3;4;5;");
  });

  it("takes essential writes when the queue is full, and says that it is", async () => {
    const journal = await open();
    const runId = runIdOn();
    await journal.append(createWrite(runId));
    assert.deepEqual(journal.pressure(), { queuedWrites: 0, queuedBytes: 0, isFull: false });
    const taken = [2, 3, 4, 5, 6].map((seq) => journal.append(entryWrite(runId, seq, { essential: true })));
    assert.deepEqual(journal.pressure(), { queuedWrites: 5, queuedBytes: 10, isFull: true });
    assert.equal(await codeOf(journal.append(createWrite(runIdOn()))), "JOURNAL_OVERLOADED");
    await Promise.all(taken);
    assert.equal(await historyOf(journal, runId), "1;2;3;4;5;6;");
  });

  it("has the store look for gaps when it had to forget a refusal", async () => {
    const journal = await open({ refusedRuns: 1 });
    const runIds = [runIdOn(), runIdOn()];
    for (const runId of runIds) {
      await journal.append(createWrite(runId));
      assert.equal(await codeOf(journal.append(entryWrite(runId, 2, POISON))), "JOURNAL_REJECTED");
    }
    const [forgotten, other] = [runIds[0] as RunId, runIdOn()];
    const appends = [entryWrite(forgotten, 3), createWrite(other), entryWrite(other, 2)].map((write) => codeOf(journal.append(write)));
    assert.deepEqual(await Promise.all(appends), ["JOURNAL_REJECTED", "stored", "stored"]);
    for (const seq of [2, 3]) await journal.append(entryWrite(forgotten, seq));
    assert.deepEqual([await historyOf(journal, forgotten), await historyOf(journal, other)], ["1;2;3;", "1;2;"]);
  });

  it("stores of each run what it acknowledged, from 1 and without a gap, in whatever order runs write, fail and hear of it", async function () {
    this.timeout(60_000);
    const command = fc.record({ run: fc.nat(3), act: fc.constantFrom(...ACTS) });
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 60 }), async (commands) => {
        const { journal } = await bed().boot("a", 1, { ...TIGHT, refusedRuns: 2 });
        const taken = createWrite(runIdOn(), { key: `key ${runIdOn()}` });
        await journal.append(taken);
        const runs = Array.from({ length: 4 }, () => new ModelRun(journal, taken.create?.idempotencyKey ?? ""));
        for (const { run, act } of commands) await runs[run]?.do(act);
        await journal.flush();
        for (const run of runs) await run.check();
        await bed().closeBoots();
      }),
      { numRuns: 60 },
    );
  });
}

const ACTS = ["write", "write", "essential", "poison", "head", "drain", "hear"] as const;
type Act = (typeof ACTS)[number];

/** A run and its actor, which decides on top of what it sent, and reads the run again once it heard of a refusal. */
class ModelRun {
  readonly #journal: Journal;
  readonly #takenKey: string;
  readonly #runId = runIdOn();
  #nextSeq = 1;
  #attempts = 0;
  #hasFailed = false;
  /** What the journal said of each write with entries, in the order of the calls. */
  readonly #sent: { readonly seq: number; readonly text: string; outcome: "unknown" | "stored" | "refused" }[] = [];

  constructor(journal: Journal, takenKey: string) {
    this.#journal = journal;
    this.#takenKey = takenKey;
  }

  async do(act: Act): Promise<void> {
    if (act === "drain") await this.#journal.flush();
    else if (act === "hear") await this.#hear();
    else if (act === "head")
      this.#journal.append(headWrite(this.#runId, RUNNING)).catch(() => undefined); // A head may be refused.
    else this.#send(act);
  }

  /** The history is the acknowledged writes, in order and dense. */
  async check(): Promise<void> {
    assert.ok(this.#sent.every(({ outcome }) => outcome !== "unknown"));
    const stored = this.#sent.filter(({ outcome }) => outcome === "stored");
    assert.deepEqual(
      stored.map(({ seq }) => seq),
      stored.map((_, index) => index + 1),
    );
    assert.equal(await historyOf(this.#journal, this.#runId), stored.map(({ text }) => text).join(""));
  }

  #send(act: Act): void {
    const seq = this.#nextSeq++;
    const text = `${seq}.${++this.#attempts};`;
    const record = { seq, text, outcome: "unknown" as "unknown" | "stored" | "refused" };
    this.#sent.push(record);
    this.#journal.append(this.#writeOf(act, seq, text)).then(
      () => {
        record.outcome = "stored";
      },
      () => {
        record.outcome = "refused";
        this.#hasFailed = true;
      },
    );
  }

  #writeOf(act: Act, seq: number, text: string): RunWrite {
    const more = { entries: Buffer.from(text), ...(act === "essential" && { essential: true }) };
    if (seq === 1) return { ...createWrite(this.#runId, act === "poison" ? { key: this.#takenKey } : {}), ...more };
    return entryWrite(this.#runId, seq, { ...more, ...(act === "poison" && POISON) });
  }

  async #hear(): Promise<void> {
    if (!this.#hasFailed) return;
    await this.#journal.flush();
    this.#hasFailed = false;
    this.#nextSeq = this.#sent.filter(({ outcome }) => outcome === "stored").length + 1;
  }
}

async function historyOf(journal: Journal, runId: RunId): Promise<string> {
  return (await journal.read(runId, 1, 1_000)).map((row) => Buffer.from(row.entries).toString()).join("");
}
