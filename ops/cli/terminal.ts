/**
 * What can be done with the stream that we write to: colours, a frame that is drawn over the previous one, or plain lines only.
 */

/** How a text is to stand out. */
export type Tone = "good" | "bad" | "busy" | "quiet" | "strong";

/** A place to write to. */
export interface Terminal {
  /** True if a frame can be drawn over the previous one. */
  readonly isLive: boolean;
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
  /** The text in a tone; unchanged where there are no colours. */
  paint(tone: Tone, text: string): string;
}

const CODES: Readonly<Record<Tone, readonly [string, string]>> = {
  good: ["\x1b[32m", "\x1b[39m"],
  bad: ["\x1b[31m", "\x1b[39m"],
  busy: ["\x1b[36m", "\x1b[39m"],
  quiet: ["\x1b[2m", "\x1b[22m"],
  strong: ["\x1b[1m", "\x1b[22m"],
};
const DEFAULT_COLUMNS = 100;
const DEFAULT_ROWS = 24;

/** What of a stream matters here; `process.stdout` fits. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** The terminal behind a stream. `NO_COLOR` (any value) takes the colours away, `TERM=dumb` everything. */
export function openTerminal(stream: OutputStream, env: Readonly<Record<string, string | undefined>>): Terminal {
  const isLive = stream.isTTY === true && env.TERM !== "dumb";
  const hasColours = isLive && (env.NO_COLOR ?? "") === "";
  return {
    isLive,
    get columns() {
      return isLive ? (stream.columns ?? DEFAULT_COLUMNS) : Number.POSITIVE_INFINITY;
    },
    get rows() {
      return stream.rows ?? DEFAULT_ROWS;
    },
    write: (text) => void stream.write(text),
    paint: (tone, text) => (hasColours ? CODES[tone][0] + text + CODES[tone][1] : text),
  };
}

/** The text cut to a number of columns, with an ellipsis if something is missing. */
export function cutTo(text: string, columns: number): string {
  const characters = [...text];
  if (columns <= 0) return "";
  return characters.length <= columns ? text : `${characters.slice(0, columns - 1).join("")}…`;
}

/** A duration for people: `740 ms`, `12.3 s`, `4 min 10 s`, `2 h 5 min`. */
export function describeDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  const seconds = Math.round(durationMs / 1_000);
  if (seconds < 60) return `${(durationMs / 1_000).toFixed(1)} s`;
  return seconds < 3_600
    ? `${Math.floor(seconds / 60)} min ${seconds % 60} s`
    : `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}
