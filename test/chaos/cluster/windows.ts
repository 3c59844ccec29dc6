/**
 * When which node had trouble of its own: what is held against calls is judged by this. Owns the list.
 */
import { systemClock } from "../../../runtime/clock.ts";

/** Some time of trouble. Times are the machine's, in milliseconds since the epoch. */
export interface Window {
  /** What was done. */
  readonly what: string;
  /** The node whose own trouble it was; undefined: that of all, for a server was away. */
  readonly node: string | undefined;
  readonly fromMs: number;
  /** When it was over, and everything that followed from it; Infinity until then. */
  untilMs: number;
}

const CLOCK = systemClock();

/** The list. */
export class Windows {
  readonly list: Window[] = [];

  /** Opens a window; what is answered closes it. */
  open(what: string, node: string | undefined): () => void {
    const window: Window = { what, node, fromMs: CLOCK.now(), untilMs: Number.POSITIVE_INFINITY };
    this.list.push(window);
    return () => {
      window.untilMs = CLOCK.now();
    };
  }
}

/** Windows that concern a node at some moment between two. */
export function windowsOf(windows: readonly Window[], node: string, fromMs: number, untilMs: number): readonly Window[] {
  return windows.filter((window) => (window.node === undefined || window.node === node) && window.fromMs <= untilMs && window.untilMs >= fromMs);
}
