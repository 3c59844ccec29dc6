/**
 * Figures of the product against what the machine gives without it. Pure.
 */
import type { Figure } from "./benchmark.ts";

/** One comparison of two figures by name. `share` is what of the ceiling one unit of the product needs: a run by unary calls is two calls. */
interface Comparison {
  readonly ours: string;
  readonly ceiling: string;
  readonly perRun: number;
}

const COMPARISONS: readonly Comparison[] = [
  { ours: "W1a in process, 300", ceiling: "group commit, 300", perRun: 1 },
  { ours: "W1a in process, 1000", ceiling: "group commit, 1000", perRun: 1 },
  { ours: "W1a stream, 300", ceiling: "group commit, 300", perRun: 1 },
  { ours: "W1a stream, 300", ceiling: "gRPC stream echo, 300", perRun: 1 },
  { ours: "W1a stream, 1000", ceiling: "gRPC stream echo, 1000", perRun: 1 },
  { ours: "W1a unary, 100", ceiling: "gRPC unary echo, 100", perRun: 2 },
  { ours: "W1a unary, 300", ceiling: "gRPC unary echo, 300", perRun: 2 },
];

/** The ratios, by medians, of those pairs that were both measured. */
export function ratios(figures: readonly Figure[]): readonly Figure[] {
  const find = (name: string): number | undefined => figures.find((figure) => figure.name === name)?.median;
  return COMPARISONS.flatMap(({ ours, ceiling, perRun }) => {
    const [value, limit] = [find(ours), find(ceiling)];
    if (value === undefined || limit === undefined) return [];
    const ratio = (value * perRun) / limit;
    const share = perRun === 1 ? "" : `, of which a run takes ${perRun}`;
    const about = `share of the ceiling that is reached${share}; 1 would mean that everything else costs nothing`;
    return [{ name: `${ours} / ${ceiling}`, unit: "", about, min: ratio, median: ratio, max: ratio, details: {} }];
  });
}
