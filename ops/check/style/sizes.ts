/**
 * How long files and functions are. Long ones are where readers get lost and where defects hide, so both have a hard limit, and the
 * product as a whole has to stay below the medians and 90th percentiles of the code bases it is compared with (`size-report.ts`).
 */
import { childrenOf, dottedName, isNode, type SourceFile, type SyntaxNode, walk } from "./oxc-source.ts";
import { fileRule, type StyleRule, type Violation } from "./rule.ts";
import { isProduct, type SourceTree } from "./source-tree.ts";

/** The limits, in lines. A function's lines are counted from its first parameter to its closing brace. */
export const SIZE_LIMITS = { fileMax: 300, fileMedian: 110, fileP90: 230, functionMax: 60, functionMedian: 10, functionP90: 28 } as const;

const SUITE_CALLS = new Set(["describe", "describe.skip", "context"]);

/** One function with a body in braces. */
export interface FunctionSize {
  readonly path: string;
  readonly line: number;
  readonly lines: number;
}

/** Lines of a file, counted as an editor does. */
export function fileLines(file: SourceFile): number {
  return file.text.endsWith("\n") ? file.text.split("\n").length - 1 : file.text.split("\n").length;
}

/** Lines that hold code: neither blank nor comment. */
export function codeLines(file: SourceFile): number {
  const characters = Array.from(file.text);
  if (characters.length !== file.text.length) return file.text.split("\n").filter((line) => line.trim() !== "").length;
  for (const comment of file.comments) for (let at = comment.start; at < comment.end; at++) if (characters[at] !== "\n") characters[at] = " ";
  return characters
    .join("")
    .split("\n")
    .filter((line) => line.trim() !== "").length;
}

/**
 * The functions of a file that have a body in braces; arrow functions that are one expression are left out, because there are many and
 * they would make the median look better. A function inside another counts by itself, and its lines count for the outer one too.
 * What holds tests (the body of `describe`, or a suite that several tests call) is a list and no function in this sense.
 */
export function functionSizes(file: SourceFile): FunctionSize[] {
  const sizes: FunctionSize[] = [];
  walk(file.program, (node, parent) => {
    if (!hasBlockBody(node) || isSuiteBody(node, parent)) return;
    sizes.push({ path: file.path, line: file.lineAt(node.start), lines: file.lineAt(node.end) - file.lineAt(node.start) + 1 });
  });
  return sizes;
}

/** The value below which a share of the values lies: 0.5 gives the median. 0 without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? 0;
}

/** The rules about length. */
export const SIZE_RULES: readonly StyleRule[] = [
  fileRule(`no file has more than ${SIZE_LIMITS.fileMax} lines`, (file) => {
    const lines = fileLines(file);
    return lines <= SIZE_LIMITS.fileMax ? [] : [{ path: file.path, line: 0, message: `has ${lines} lines: split it by noun` }];
  }),
  fileRule(`no function has more than ${SIZE_LIMITS.functionMax} lines`, (file) =>
    functionSizes(file)
      .filter((size) => size.lines > SIZE_LIMITS.functionMax)
      .map((size) => ({
        path: size.path,
        line: size.line,
        message: `the function has ${size.lines} lines: keep the branching, move pure leaves out`,
      })),
  ),
  {
    name: `median and 90th percentile of file lengths are at most ${SIZE_LIMITS.fileMedian} and ${SIZE_LIMITS.fileP90}`,
    check: checkFileDistribution,
  },
  {
    name: `median and 90th percentile of function lengths are at most ${SIZE_LIMITS.functionMedian} and ${SIZE_LIMITS.functionP90}`,
    check: checkFunctionDistribution,
  },
];

function checkFileDistribution(tree: SourceTree): Violation[] {
  const lengths = tree.files.filter((file) => isProduct(file.path)).map(fileLines);
  return [
    above("median file length", percentile(lengths, 0.5), SIZE_LIMITS.fileMedian),
    above("90th percentile of file lengths", percentile(lengths, 0.9), SIZE_LIMITS.fileP90),
  ].flat();
}

function checkFunctionDistribution(tree: SourceTree): Violation[] {
  const lengths = tree.files.filter((file) => isProduct(file.path)).flatMap((file) => functionSizes(file).map((size) => size.lines));
  return [
    above("median function length", percentile(lengths, 0.5), SIZE_LIMITS.functionMedian),
    above("90th percentile of function lengths", percentile(lengths, 0.9), SIZE_LIMITS.functionP90),
  ].flat();
}

function above(what: string, value: number, limit: number): Violation[] {
  return value <= limit ? [] : [{ path: "(product)", line: 0, message: `the ${what} is ${value}, above ${limit}` }];
}

function hasBlockBody(node: SyntaxNode): boolean {
  const isFunction = node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression";
  return isFunction && node.body !== null && node.expression !== true;
}

function isSuiteBody(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  if (parent?.type === "CallExpression" && parent.callee !== node && SUITE_CALLS.has(dottedName(parent.callee) ?? "")) return true;
  return childrenOf(node.body as SyntaxNode).some((statement) => {
    const call = statement.expression;
    const name = isNode(call) && call.type === "CallExpression" ? (dottedName(call.callee) ?? "") : "";
    return name === "it" || SUITE_CALLS.has(name);
  });
}
