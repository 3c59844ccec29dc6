/**
 * The mark of this node: up to when everything that it committed is published. Owns when it is stored, and the next one is set.
 */
import type { Clock } from "../../runtime/clock.ts";
import type { BootId } from "../../runtime/ids.ts";
import type { EventCheckpoints, PublishMark } from "../../runtime/storage/event-checkpoints.ts";
import type { Progress } from "./progress.ts";

/** What it needs. */
export interface OwnMarkParts {
  readonly clock: Clock;
  readonly bootId: BootId;
  readonly checkpoints: EventCheckpoints;
  readonly progress: Progress;
  /** True while something that this boot committed is neither published nor noted in the progress. */
  isHeldBack(): boolean;
}

/** The mark. */
export class OwnMark {
  readonly #parts: OwnMarkParts;
  #current: PublishMark = { committedAt: "", entriesFromMs: 0 };
  #isBusy = false;

  constructor(parts: OwnMarkParts) {
    this.#parts = parts;
  }

  /** The latest that is true. What is stored may be older. */
  get current(): PublishMark {
    return this.#current;
  }

  /** Enters the boot. */
  async begin(): Promise<void> {
    const { checkpoints, bootId, clock } = this.#parts;
    this.#current = await checkpoints.begin(bootId, clock.now());
  }

  /** Stores the latest mark by which all is published, and sets the next one. The store's time is asked for before the generation ends. */
  async store(): Promise<void> {
    const { checkpoints, bootId, clock, progress, isHeldBack } = this.#parts;
    if (this.#isBusy || isHeldBack()) return;
    this.#isBusy = true;
    try {
      const confirmed = progress.confirmed();
      if (confirmed === undefined && !progress.wasUsed) return;
      this.#current = confirmed ?? this.#current;
      const committedAt = confirmed === undefined ? await checkpoints.now() : await checkpoints.advance(bootId, confirmed);
      if (progress.wasUsed) progress.close({ committedAt, entriesFromMs: clock.now() });
    } finally {
      this.#isBusy = false;
    }
  }

  /** After the last commit: stores how far it came. `isDone`: all is published. */
  async end(isDone: boolean): Promise<void> {
    const { checkpoints, bootId, progress, isHeldBack } = this.#parts;
    const mark = isHeldBack() ? undefined : progress.confirmed();
    if (isDone) await checkpoints.end(bootId);
    else if (mark !== undefined) await checkpoints.advance(bootId, mark);
  }
}
