/**
 * Answers and complaints of the command line: text for people, or one JSON object on a line for programs. Answers go to the standard output,
 * everything else to the standard error, so that pipes carry answers only.
 */
import { toMaestroError } from "../../runtime/errors.ts";
import { cutTo, type Terminal } from "./terminal.ts";

/** Writes what a command has to say. */
export class Output {
  readonly terminal: Terminal;
  readonly #errors: Terminal;
  isJson = false;

  constructor(terminal: Terminal, errors: Terminal) {
    this.terminal = terminal;
    this.#errors = errors;
  }

  /** An answer: the object as JSON, or the text. */
  answer(value: object, text: () => string): void {
    this.terminal.write(`${this.isJson ? JSON.stringify(value) : text()}\n`);
  }

  /** Answers that form a list: one line for each, or a table under its headings, cut to the terminal where there is one. */
  table(values: readonly object[], headings: readonly string[], rows: readonly (readonly string[])[], empty: string): void {
    if (this.isJson) for (const value of values) this.terminal.write(`${JSON.stringify(value)}\n`);
    else
      this.terminal.write(
        rows.length === 0
          ? `${empty}\n`
          : tableLines([headings, ...rows], this.terminal, this.terminal.columns)
              .map((line) => `${line}\n`)
              .join(""),
      );
  }

  /** Something that is said beside the answer. */
  note(text: string): void {
    if (!this.isJson) this.#errors.write(`${text}\n`);
  }

  /** An error: its code, what happened, what to do, and every place that is wrong. Never a stack. */
  complain(error: unknown): void {
    const { code, message, advice, violations } = toMaestroError(error);
    if (this.isJson) {
      this.#errors.write(`${JSON.stringify({ error: { code, message, advice, violations } })}\n`);
      return;
    }
    // A single one is part of the message as a rule; several are told as a list.
    const isTold = violations.length === 1 && violations.every(({ field, description }) => message.includes(field) && message.includes(description));
    const places = (isTold ? [] : violations).map(({ field, description }) => `  ${this.#errors.paint("strong", field)}  ${description}`);
    const lines = [`${this.#errors.paint("bad", code)}  ${message}`, ...places, this.#errors.paint("quiet", advice)];
    this.#errors.write(`${lines.join("\n")}\n`);
  }
}

/** The rows of a table with aligned columns, each cut to `width` characters; the first one has the headings. */
export function tableLines(rows: readonly (readonly string[])[], terminal: Terminal, width = Number.POSITIVE_INFINITY): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("  "));
  return lines.map((line) => cutTo(line, width)).map((line, index) => (index === 0 ? terminal.paint("quiet", line) : line));
}
