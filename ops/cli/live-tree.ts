/**
 * Shows a run while it happens: keeps the tree, and draws it whenever something happened or the spinner has to turn.
 */
import type { HistoryEntry } from "../../actors/runs.ts";
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import { LiveFrame } from "./live-frame.ts";
import { RunTree } from "./run-tree.ts";
import type { Terminal } from "./terminal.ts";
import { drawEntry, drawFrame } from "./tree-view.ts";

const REDRAW_MS = 80;

/** A tree on a terminal. */
export class LiveTree {
  readonly tree: RunTree;
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #frame: LiveFrame;
  #cancel: CancelTimer | undefined;
  #isClosed = false;

  constructor(runId: string, terminal: Terminal, clock: Clock) {
    this.tree = new RunTree(runId);
    this.#terminal = terminal;
    this.#clock = clock;
    this.#frame = new LiveFrame(terminal);
  }

  /** Takes the next entry of the run's history. */
  add(entry: HistoryEntry): void {
    this.tree.apply(entry);
    if (this.#terminal.isLive) {
      this.#cancel ??= this.#clock.schedule(0, () => this.#redraw());
      return;
    }
    const line = drawEntry(this.tree, entry);
    if (line !== undefined) this.#terminal.write(`${line}\n`);
  }

  /** Draws the last frame and leaves it standing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel?.();
    if (!this.#terminal.isLive) return;
    this.#frame.draw(drawFrame(this.tree, this.#terminal, this.#clock.now()));
  }

  #redraw(): void {
    this.#frame.draw(this.#visible(drawFrame(this.tree, this.#terminal, this.#clock.now())));
    this.#cancel = this.#clock.schedule(REDRAW_MS, () => this.#redraw());
  }

  /** What fits on the screen: a frame that scrolled could not be drawn over. The end of the tree is where things happen. */
  #visible(lines: string[]): string[] {
    const room = this.#terminal.rows - 2;
    if (lines.length <= room) return lines;
    const hidden = lines.length - room + 1;
    return [lines[0] ?? "", this.#terminal.paint("quiet", `  … ${hidden} lines above`), ...lines.slice(hidden + 1)];
  }
}
