/**
 * Figures as bars in an SVG document: a group for each unit with a scale of its own, a bar up to the median, and a line from the least to the
 * greatest round. Pure.
 */
import type { Figure } from "./benchmark.ts";
import { formatNumber } from "./report.ts";

const WIDTH = 900;
const LABELS = 310;
const VALUES = 90;
const BARS = WIDTH - LABELS - VALUES;
const ROW = 22;
const BAR = 12;
const GROUP = 34;
const TOP = 40;

/** The document. */
export function plotOf(title: string, figures: readonly Figure[]): string {
  const parts: string[] = [];
  let y = TOP;
  for (const [unit, group] of Map.groupBy(figures, (figure) => figure.unit)) {
    parts.push(text(LABELS, y + GROUP / 2, unit, 'class="unit"'));
    y += GROUP;
    const greatest = Math.max(...group.map((figure) => figure.max).filter(Number.isFinite), Number.MIN_VALUE);
    for (const figure of group) {
      parts.push(row(figure, y, (value) => LABELS + (BARS * (Number.isFinite(value) ? value : 0)) / greatest));
      y += ROW;
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + ROW}" viewBox="0 0 ${WIDTH} ${y + ROW}" role="img">
<title>${escaped(title)}</title>
<style>
  text { font: 12px sans-serif; fill: #222 } .title { font-size: 15px; font-weight: bold } .unit { font-weight: bold; fill: #555 }
  .bar { fill: #4878a8 } .range { stroke: #222; stroke-width: 1.5 } .back { fill: #fff }
</style>
<rect class="back" width="100%" height="100%"/>
${[text(12, TOP / 2 + 4, title, 'class="title"'), ...parts].join("\n")}
</svg>
`;
}

function row({ name, min, median, max }: Figure, y: number, at: (value: number) => number): string {
  const middle = y + ROW / 2;
  const bar = `<rect class="bar" x="${LABELS}" y="${middle - BAR / 2}" width="${round(at(median) - LABELS)}" height="${BAR}"/>`;
  const range = `<line class="range" x1="${round(at(min))}" x2="${round(at(max))}" y1="${middle}" y2="${middle}"/>`;
  return [
    text(LABELS - 8, middle + 4, name, 'text-anchor="end"'),
    bar,
    ...(min === max ? [] : [range]),
    text(round(at(max)) + 6, middle + 4, formatNumber(median), ""),
  ].join("");
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
