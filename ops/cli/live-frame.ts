/**
 * Lines on a terminal that are drawn over and over in one place.
 */
import type { Terminal } from "./terminal.ts";

/** The frame. It must not have more lines than the terminal has rows. */
export class LiveFrame {
  readonly #terminal: Terminal;
  #drawnLines = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Draws the lines over those of the last time. */
  draw(lines: readonly string[]): void {
    const back = this.#drawnLines > 0 ? `\x1b[${this.#drawnLines}A` : "";
    // Each line is cleared to its end after it was written, and what the last frame had below this one is cleared at the end: no flicker.
    this.#terminal.write(`${back}\r${lines.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J`);
    this.#drawnLines = lines.length;
  }
}
