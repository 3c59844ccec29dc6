/**
 * Figures of the product against what the machine gives without it. Pure.
 */
import type { Figure } from "./benchmark.ts";

/** One comparison of two figures by name. */
interface Comparison {
  readonly ours: string;
  readonly ceiling: string;
}

const COMPARISONS: readonly Comparison[] = [
  { ours: "W1a in process, 300", ceiling: "group commit, 300" },
  { ours: "W1a in process, 1000", ceiling: "group commit, 1000" },
  { ours: "W1a stream, 300", ceiling: "group commit, 300" },
  { ours: "W1a stream, 300", ceiling: "gRPC stream echo, 300" },
  { ours: "W1a stream, 1000", ceiling: "gRPC stream echo, 1000" },
  { ours: "W1a unary, 100", ceiling: "gRPC unary echo, 100" },
  { ours: "W1a unary, 300", ceiling: "gRPC unary echo, 300" },
];

/** Times of a run, each against that of its four commits alone. */
const LATENCIES = ["W1b stream, p50", "W1b unary, p50"];
const FOUR_COMMITS = "group commit, 1";

/** The ratios, by medians, of those pairs that were both measured. */
export function ratios(figures: readonly Figure[]): readonly Figure[] {
  return [...throughputRatios(figures), ...latencyRatios(figures)];
}

function latencyRatios(figures: readonly Figure[]): readonly Figure[] {
  const limit = figures.find((figure) => figure.name === FOUR_COMMITS)?.details["p50 ms"]?.median;
  if (limit === undefined) return [];
  const about = "times as long as its four commits alone";
  return figures
    .filter((figure) => LATENCIES.includes(figure.name))
    .map((figure) => ratioFigure(`${figure.name} / ${FOUR_COMMITS}`, about, figure.median / limit));
}

function throughputRatios(figures: readonly Figure[]): readonly Figure[] {
  const find = (name: string): number | undefined => figures.find((figure) => figure.name === name)?.median;
  return COMPARISONS.flatMap(({ ours, ceiling }) => {
    const [value, limit] = [find(ours), find(ceiling)];
    if (value === undefined || limit === undefined) return [];
    const about = "share of the ceiling that is reached; 1 would mean that everything else costs nothing";
    return [ratioFigure(`${ours} / ${ceiling}`, about, value / limit)];
  });
}

function ratioFigure(name: string, about: string, ratio: number): Figure {
  return { name, unit: "x", about, min: ratio, median: ratio, max: ratio, details: {} };
}
