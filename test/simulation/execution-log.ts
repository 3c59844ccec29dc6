/**
 * What the pools of a simulated world really execute: every attempt from its begin to its end, whose it is, and, whenever one with a concurrency key
 * begins, which others with that key were under way in that moment. It judges nothing.
 */
import type { BootId, RunId } from "../../runtime/ids.ts";
import type { Line } from "./program.ts";

/** One execution of an attempt. */
export interface Execution {
  /** The process that executes it. */
  readonly boot: string;
  readonly isInNode: boolean;
  /** `run:frame`. */
  readonly key: string;
  readonly attempt: number;
  readonly executor: BootId;
  /** The node whose run it is. */
  readonly owner: BootId;
  /** Undefined: it needs no slot. */
  readonly line: Line | undefined;
  /** True time, milliseconds since the world began. */
  readonly beganAtMs: number;
  /** Its pool was told to stop it. */
  isBeingStopped: boolean;
}

/** What was known of an execution in one moment. */
export interface Standing {
  readonly execution: Execution;
  readonly ageMs: number;
  /** Its owner has handed the run over: what goes on has a slot that names no limit. */
  readonly isRunElsewhere: boolean;
  /** Its owner may not commit any more: it was taken over, or has left. */
  readonly isOwnerGone: boolean;
  /** So is the node that executes it. */
  readonly isExecutorGone: boolean;
  /** The node that executes it knows that the owner is no member any more. */
  readonly hasHeard: boolean;
  readonly isBeingStopped: boolean;
}

/** An execution that needs a slot has begun, and these were under way with the same key, itself included. */
export interface Crowd {
  readonly atMs: number;
  readonly key: string;
  readonly standings: readonly Standing[];
}

/** What the log asks the world. */
export interface Surveyor {
  /** True time, milliseconds since the world began. */
  nowMs(): number;
  /** The owner of a run, by the store. */
  ownerOf(runId: RunId): BootId | undefined;
  /** True if a boot may not commit any more, by the store. */
  isGone(bootId: BootId): boolean;
  /** True if a boot has seen that another one is no member any more. */
  hasHeard(listener: BootId, of: BootId): boolean;
}

/** The log. */
export class ExecutionLog {
  readonly all: Execution[] = [];
  readonly crowds: Crowd[] = [];
  readonly #surveyor: Surveyor;
  /** Under way, by the key that limits them. */
  readonly #underWay = new Map<string, Set<Execution>>();

  constructor(surveyor: Surveyor) {
    this.#surveyor = surveyor;
  }

  /** An execution begins. */
  began(execution: Execution): void {
    this.all.push(execution);
    const key = execution.line?.key;
    if (key === undefined) return;
    const beside = this.#underWay.get(key) ?? new Set();
    this.#underWay.set(key, beside.add(execution));
    if (beside.size > 1) this.crowds.push({ atMs: this.#surveyor.nowMs(), key, standings: [...beside].map((one) => this.#standingOf(one)) });
  }

  /** An execution has ended, or its process has. */
  ended(execution: Execution): void {
    this.#underWay.get(execution.line?.key ?? "")?.delete(execution);
  }

  #standingOf(execution: Execution): Standing {
    const { key, owner, executor, beganAtMs, isBeingStopped } = execution;
    const ageMs = this.#surveyor.nowMs() - beganAtMs;
    const isRunElsewhere = this.#surveyor.ownerOf(key.slice(0, key.indexOf(":")) as RunId) !== owner;
    const [isOwnerGone, isExecutorGone] = [this.#surveyor.isGone(owner), this.#surveyor.isGone(executor)];
    return { execution, ageMs, isRunElsewhere, isOwnerGone, isExecutorGone, hasHeard: this.#surveyor.hasHeard(executor, owner), isBeingStopped };
  }
}
