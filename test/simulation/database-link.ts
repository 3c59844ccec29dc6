/**
 * How one process reaches the database: every call takes its time there and back, may get lost on either way, and may even be carried out after its caller was
 * told that the connection is gone. Owns no decision: it is the same calls, with what a network and a server do to them.
 */
import { MaestroError } from "../../runtime/errors.ts";
import type { BootId } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import type { Batch } from "../../runtime/storage/batch.ts";
import type { BatchStore, Collision, Outcome } from "../../runtime/storage/batch-store.ts";
import type { EventCheckpoints } from "../../runtime/storage/event-checkpoints.ts";
import type { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { JournalReader } from "../../runtime/storage/laned-journal.ts";
import { MemoryBatchStore } from "../../runtime/storage/memory-batch-store.ts";
import { MemoryFaults } from "../../runtime/storage/memory-faults.ts";
import type { Ownership } from "../../runtime/storage/ownership.ts";
import type { TaskSlots } from "../../runtime/storage/task-slots.ts";
import type { Database } from "./database.ts";
import { between, type Faults, happens } from "./faults.ts";
import { overridden } from "./overridden.ts";
import type { Plant } from "./plant.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Trace } from "./trace.ts";
import type { WorldTime } from "./world-time.ts";

/** Time on one way in good days, and on bad ones, in milliseconds. */
const WAY_MS = [0.2, 2] as const;
const SLOW_WAY_MS = [5, 400] as const;
/** How late a call may be carried out whose caller was told that the connection is gone, in milliseconds. */
const LATE_MS = [1, 1_500] as const;

/** What a link needs. */
export interface DatabaseLinkOptions {
  readonly process: SimulatedProcess;
  readonly database: Database;
  readonly time: WorldTime;
  readonly faults: Faults;
  readonly random: Random;
  readonly trace: Trace;
  readonly plant: Plant;
}

type Answer<T> = { readonly value: T } | { readonly error: unknown } | "broken";
type Fate = "none" | "requestLost" | "answerLost" | "lateCall" | "refusal";

/** Chances of one call to meet each fate, at the highest level of that fault. */
const FATES = (["requestLost", "answerLost", "lateCall", "refusal"] as const).map((fate) => [fate, 0.05] as const);

/** The link of one boot. */
export class DatabaseLink {
  readonly #options: DatabaseLinkOptions;

  constructor(options: DatabaseLinkOptions) {
    this.#options = options;
  }

  /** A port of the database as this process reaches it. */
  through<T extends object>(what: string, port: T, ...methods: readonly (keyof T & string)[]): T {
    const through = methods.map((method) => {
      const apply = port[method] as unknown as (...args: unknown[]) => Promise<unknown>;
      return [method, (...args: unknown[]) => this.#call(`${what}.${method}`, () => apply.apply(port, args))];
    });
    return overridden(port, Object.fromEntries(through) as Partial<T>);
  }

  /** The ownership table. */
  get ownership(): Ownership {
    const { ownership } = this.#options.database;
    return this.through<Ownership>("ownership", ownership, "join", "renew", "view", "acquire", "release", "fence", "leave", "announce");
  }

  /** The journal's reading half. */
  get reader(): JournalReader {
    const { database, plant } = this.#options;
    const port: JournalReader = plant.reader?.(database.reader) ?? database.reader;
    const lists = ["read", "findByKey", "list", "listReady", "listTimers", "audit"] as const;
    return this.through("reader", port, ...lists, "findAll", "readTails", "readSnapshots", "findPayload");
  }

  /** The marks of what is published. */
  get checkpoints(): EventCheckpoints {
    const { checkpoints } = this.#options.database;
    return this.through<EventCheckpoints>(
      ...(["checkpoints", checkpoints, "begin", "debtOf", "settle", "now", "advance", "handOver", "end", "listChanged"] as const),
    );
  }

  /** The slots of concurrency keys. */
  get taskSlots(): TaskSlots {
    const { database, plant } = this.#options;
    const port: TaskSlots = plant.taskSlots?.(database.taskSlots) ?? database.taskSlots;
    return this.through<TaskSlots>("slots", port, "take", "linger", "free", "reclaim", "list");
  }

  /** Where the only lane of the journal commits. */
  batches(bootId: BootId, held: HeldShards): BatchStore {
    const { database, process, plant } = this.#options;
    const store = new MemoryBatchStore({ store: database.memory, bootId, held, faults: new MemoryFaults(), clock: process.clock });
    return new LinkedBatches(this, plant.batches?.(store, bootId, database) ?? store, (batch) => database.noteCommit(bootId, batch));
  }

  /** Sends a call; `settle` is told once what came of it, if the process is still there. The returned function keeps it from being carried out later. */
  send<T>(what: string, fate: Fate, apply: () => Promise<T>, settle: (answer: Answer<T>) => void): () => void {
    const { process, database, time, faults, random, trace } = this.#options;
    const [requestMs, answerMs] = [this.#wayMs(), this.#wayMs()];
    let [isOver, isRevoked] = [false, false];
    const answer = (outcome: Answer<T>, afterMs: number): void =>
      void time.schedule(afterMs, () =>
        process.enter(() => {
          if (isOver) return;
          isOver = true;
          forget();
          settle(outcome);
        }),
      );
    const breaks = (): void => {
      isRevoked ||= fate !== "lateCall";
      answer("broken", 0);
    };
    const forget = database.onBreak(breaks);
    if (!database.isUp || fate === "requestLost") {
      trace.note(process.name, `${what} does not arrive`);
      answer("broken", requestMs + answerMs);
      return () => undefined;
    }
    if (fate === "lateCall") answer("broken", requestMs);
    const lateMs = fate === "lateCall" ? between(random, ...LATE_MS) : 0;
    const arrive = (): void => {
      if (isRevoked) return;
      trace.note(process.name, `${what}${fate === "none" ? "" : ` ${fate}`}`);
      if (fate === "refusal") return answer({ error: refused() }, answerMs);
      apply().then(
        (value) => answer(fate === "answerLost" ? "broken" : { value }, answerMs),
        (error: unknown) => answer({ error }, answerMs),
      );
    };
    if (fate !== "none") faults.note(fate);
    time.schedule(requestMs + lateMs, () => database.whenMoving(arrive));
    return () => {
      isRevoked = true;
    };
  }

  /** What happens to the next call. */
  fate(): Fate {
    const { faults, random } = this.#options;
    for (const [fate, most] of FATES) if (happens(random, faults.level(fate) * most)) return fate;
    return "none";
  }

  /** Has the process send something, if it still can. */
  leave(callback: () => void): void {
    this.#options.process.leave(callback);
  }

  /** @throws what the call throws, DATABASE_UNAVAILABLE, DATABASE_FAILING */
  #call<T>(what: string, apply: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) =>
      this.leave(() => {
        this.send(what, this.fate(), apply, (answer) => {
          if (answer === "broken") reject(unavailable());
          else if ("error" in answer) reject(answer.error);
          else resolve(answer.value);
        });
      }),
    );
  }

  #wayMs(): number {
    const { faults, random } = this.#options;
    return faults.strikes("slowStore", 0.3) ? between(random, ...SLOW_WAY_MS) : between(random, ...WAY_MS);
  }
}

/** Batches on their way. A batch whose fate is unknown may still arrive, until somebody asks the store for it. */
class LinkedBatches implements BatchStore {
  readonly #link: DatabaseLink;
  readonly #store: BatchStore;
  readonly #onCommit: (batch: Batch) => void;
  #revoke: () => void = () => undefined;

  constructor(link: DatabaseLink, store: BatchStore, onCommit: (batch: Batch) => void) {
    this.#link = link;
    this.#store = store;
    this.#onCommit = onCommit;
  }

  commit(batch: Batch): Promise<Outcome> {
    const apply = async (): Promise<Outcome> => {
      const outcome = await this.#store.commit(batch);
      if (outcome.kind === "committed") this.#onCommit(batch);
      return outcome;
    };
    return new Promise((resolve) =>
      this.#link.leave(() => {
        const fate = this.#link.fate();
        const what = `commit ${batch.rows.map(({ runId, firstSeq, entryCount }) => `${runId}#${firstSeq}+${entryCount}`).join(" ")}`;
        this.#revoke = this.#link.send(what, fate, apply, (answer) => {
          if (answer === "broken" || "error" in answer) resolve({ kind: "unknown", reason: "the connection broke" });
          else resolve(answer.value);
        });
      }),
    );
  }

  holds(batch: Batch): Promise<boolean> {
    return this.#ask("holds", () => this.#store.holds(batch));
  }

  findCollision(batch: Batch): Promise<Collision> {
    return this.#ask("findCollision", () => this.#store.findCollision(batch));
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** A new connection takes the place of the old one, of which nothing can come any more once the question is there. */
  #ask<T>(what: string, ask: () => Promise<T>): Promise<T> {
    const apply = (): Promise<T> => {
      this.#revoke();
      return ask();
    };
    return new Promise((resolve, reject) =>
      this.#link.leave(() => {
        const fate = this.#link.fate();
        this.#link.send(what, fate === "lateCall" ? "requestLost" : fate, apply, (answer) => {
          if (answer === "broken") reject(unavailable());
          else if ("error" in answer) reject(answer.error);
          else resolve(answer.value);
        });
      }),
    );
  }
}

function unavailable(): MaestroError {
  return new MaestroError("DATABASE_UNAVAILABLE", { facts: { address: "simulated", reason: "the connection broke" } });
}

function refused(): MaestroError {
  return new MaestroError("DATABASE_FAILING", { facts: { address: "simulated", reason: "it lacks the means" } });
}
