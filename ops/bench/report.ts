/**
 * Figures as an aligned table for people, and as records for programs. Pure.
 */
import type { Figure } from "./benchmark.ts";
import type { Machine } from "./machine.ts";

/** One figure with all that is needed to compare it with another. */
export interface FigureRecord extends Figure {
  readonly benchmark: string;
  /** ISO 8601. */
  readonly measuredAt: string;
  /** Of the minute before. */
  readonly loadAverage: number;
  readonly quick: boolean;
  readonly long: boolean;
  readonly machine: Machine;
}

/** Tables, one for all figures with the same details, and a line for each figure that says what it means. */
export function tablesOf(figures: readonly Figure[]): string {
  const groups = Map.groupBy(figures, (figure) => Object.keys(figure.details).join());
  const nameWidth = Math.max(...figures.map((figure) => figure.name.length));
  const meanings = figures.map((figure) => `${figure.name.padEnd(nameWidth)}  ${figure.about}`);
  return [...[...groups.values()].map((group) => tableOf(group, nameWidth)), meanings.join("\n")].join("\n\n");
}

function tableOf(figures: readonly Figure[], nameWidth: number): string {
  const detailNames = Object.keys(figures[0]?.details ?? {});
  const header = ["", "unit", "min", "median", "max", ...detailNames];
  const rows = figures.map((figure) => [
    figure.name.padEnd(nameWidth),
    figure.unit,
    ...[figure.min, figure.median, figure.max].map(formatNumber),
    ...detailNames.map((name) => formatNumber(figure.details[name]?.median)),
  ]);
  const widths = header.map((_none, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string => row.map((cell, column) => alignedCell(cell, column, widths[column] ?? 0)).join("  ");
  return [header, ...rows].map((row) => line(row).trimEnd()).join("\n");
}

/** The machine in one line. */
export function machineLine({ cpu, cores, memoryGib, node, postgres, commit }: Machine): string {
  return `${cores} x ${cpu}, ${memoryGib} GiB, Node.js ${node}, PostgreSQL ${postgres}, commit ${commit}`;
}

function alignedCell(cell: string, column: number, width: number): string {
  return column < 2 ? cell.padEnd(width) : cell.padStart(width);
}

/** Three significant digits, and all digits of what is greater. Empty for what was not measured. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined) return "";
  if (Number.isNaN(value)) return "?";
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3);
}
