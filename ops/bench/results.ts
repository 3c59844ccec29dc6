/**
 * Keeps figures: the records for programs, the tables and a plot for people, under one name by date and commit.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FigureRecord } from "./report.ts";
import { plotOf } from "./svg-plot.ts";

const FOLDER = fileURLToPath(new URL("./results", import.meta.url));

/** Writes the figures of one benchmark beside this file. `text` is what was printed of them. */
export function saveResults(records: readonly FigureRecord[], text: string): void {
  const [first] = records;
  if (first === undefined) return;
  mkdirSync(FOLDER, { recursive: true });
  const { benchmark, measuredAt, machine } = first;
  const name = join(FOLDER, `${measuredAt.slice(0, 10)}-${machine.commit}-${benchmark}`);
  writeFileSync(`${name}.json`, `${JSON.stringify(records, undefined, 2)}\n`);
  writeFileSync(`${name}.txt`, `${text}\n`);
  writeFileSync(`${name}.svg`, plotOf(`${benchmark}, ${measuredAt.slice(0, 10)}, commit ${machine.commit}`, records));
}
