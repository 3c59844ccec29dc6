/**
 * The sizes of this code base beside those of the ones it was modelled on, as a table for people. The limits are held by `sizes.ts`.
 */
import type { SourceFile } from "./oxc-source.ts";
import { anyTypes, undocumentedExports } from "./reading-rules.ts";
import { codeLines, fileLines, functionSizes, percentile, SIZE_LIMITS } from "./sizes.ts";
import { isProduct, LAYERS, type SourceTree } from "./source-tree.ts";

/**
 * A row: name, files, file lines (median / p90 / max), share of files <= 300, function lines (median / p90 / p99 / max), any per 1,000 lines of code,
 * documented exports.
 */
type Row = readonly [string, string, string, string, string, string, string];

const HEAD: Row = ["", "files", "file lines med/p90/max", "<= 300", "function lines med/p90/p99/max", "any/k", "documented"];

/**
 * Measured in 2026 on snapshots of the named repositories with the TypeScript syntax tree, before this project began. Theirs were counted
 * by the same idea, but not by this program; a dash stands for what was not measured.
 */
const MODELS: readonly Row[] = [
  ["temporal sdk-typescript, common", "53", "97 / 332 / 583", "84%", "7 / 23 / 107 / -", "18", "65%"],
  ["temporal sdk-typescript, worker", "48", "122 / 552 / 2535", "72%", "10 / 47 / 244 / -", "9", "59%"],
  ["Effect, unstable/cluster", "45", "165 / 791 / 1787", "71%", "11 / 54 / 587 / -", "23", "100%"],
  ["fastify, lib", "31", "165 / 555 / 1160", "74%", "9 / 46 / 180 / -", "-", "-"],
  ["nats.js, core", "31", "168 / 635 / 1182", "67%", "7 / 23 / 90 / -", "1", "25%"],
  ["graphile worker", "34", "129 / 663 / 1596", "76%", "13 / 84 / 295 / -", "1", "-"],
  ["protoactor-go, actor", "57", "49 / 156 / 773", "98%", "-", "-", "-"],
  ["Orleans, Runtime", "277", "77 / 420 / 2777", "83%", "-", "-", "-"],
];

/** The table as lines of text. */
export function sizeReport(tree: SourceTree): string[] {
  const product = tree.files.filter((file) => isProduct(file.path));
  const parts = LAYERS.map((layer) =>
    row(
      `${layer}/`,
      tree.files.filter((file) => file.path.startsWith(`${layer}/`)),
    ),
  ).filter((cells) => cells[1] !== "0");
  const target: Row = [
    "limit",
    "",
    `${SIZE_LIMITS.fileMedian} / ${SIZE_LIMITS.fileP90} / ${SIZE_LIMITS.fileMax}`,
    "100%",
    `${SIZE_LIMITS.functionMedian} / ${SIZE_LIMITS.functionP90} / - / ${SIZE_LIMITS.functionMax}`,
    "0",
    "100%",
  ];
  const note = "Functions with a body in braces; hand-written files only. The rows of other projects are snapshots, measured once.";
  return [...layOut([HEAD, row("this product (without tests)", product), ...parts, target, ...MODELS]), note];
}

function row(name: string, files: readonly SourceFile[]): Row {
  const lengths = files.map(fileLines);
  const functions = files.flatMap((file) => functionSizes(file).map((size) => size.lines));
  const code = files.reduce((sum, file) => sum + codeLines(file), 0);
  const anys = files.reduce((sum, file) => sum + anyTypes(file).length, 0);
  const exports = files.map(undocumentedExports);
  const total = exports.reduce((sum, each) => sum + each.total, 0);
  const missing = exports.reduce((sum, each) => sum + each.missing.length, 0);
  return [
    name,
    String(files.length),
    spread(lengths, [0.5, 0.9, 1]),
    share(lengths.filter((lines) => lines <= SIZE_LIMITS.fileMax).length, lengths.length),
    spread(functions, [0.5, 0.9, 0.99, 1]),
    code === 0 ? "0" : String(Math.round((anys * 10_000) / code) / 10),
    share(total - missing, total),
  ];
}

function spread(values: readonly number[], shares: readonly number[]): string {
  return shares.map((each) => percentile(values, each)).join(" / ");
}

/** Rounded down, so that only all of them are 100 %. */
function share(part: number, whole: number): string {
  return whole === 0 ? "-" : `${Math.floor((part * 100) / whole)}%`;
}

function layOut(rows: readonly Row[]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? "").length)));
  return rows.map((cells) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("   "),
  );
}
