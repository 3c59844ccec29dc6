/**
 * What a reader relies on: each file says what it is, each export says what it means, names say what is inside, and nothing half done or
 * silenced is left lying about.
 */
import { posix } from "node:path";
import { childrenOf, dottedName, type SourceFile, type SyntaxNode, walk } from "./oxc-source.ts";
import { fileRule, type StyleRule, type Violation } from "./rule.ts";
import { isProduct } from "./source-tree.ts";

const VAGUE = /^(utils?|common|helpers?|misc|shared|stuff|tools?)$/;
const FILE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|d))?\.ts$/;
const RESIDUE = /\b(TODO|FIXME|XXX|HACK)\b|@ts-(ignore|nocheck)|biome-ignore-all/;
const EXPECTED_ERROR = /@ts-expect-error/;
const WAITS = new Set(["setTimeout", "setInterval", "sleep", "delay", "globalThis.setTimeout", "Atomics.wait"]);
const WAIT_MODULES = new Set(["node:timers", "node:timers/promises", "timers/promises"]);
const TEST_HEADER_EXEMPT = /\.test\.ts$/;

/** Users' code that tests run: handlers that wait, fail and misbehave on purpose. */
const FIXTURES = /^test\/fixtures\//;

/** The rules about what people read. */
export const READING_RULES: readonly StyleRule[] = [
  fileRule("every file begins with a comment that says what it is", checkHeader, (path) => !TEST_HEADER_EXEMPT.test(path)),
  fileRule("every export carries a doc comment", checkDocs, (path) => !FIXTURES.test(path)),
  fileRule("files and folders are named by what they hold", checkNames),
  fileRule("no unfinished work and no silenced checks", checkResidue),
  fileRule("nothing is typed any", checkAny),
  fileRule("no error is caught and ignored", checkCatch),
  fileRule("tests wait for conditions, not for time", checkWaits, (path) => /^test\/(?!support\/|chaos\/|fixtures\/)/.test(path)),
];

/** The exports of a file that need a doc comment, with those that lack one. Names that are only passed on have theirs elsewhere. */
export function undocumentedExports(file: SourceFile): {
  readonly total: number;
  readonly missing: readonly { readonly name: string; readonly line: number }[];
} {
  const own = file.exports.filter((exported) => exported.from === undefined);
  return { total: own.length, missing: own.filter((exported) => exported.doc === undefined) };
}

/** The places of a file where a type is written `any`. */
export function anyTypes(file: SourceFile): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  walk(file.program, (node) => {
    if (node.type === "TSAnyKeyword") found.push(node);
  });
  return found;
}

function checkHeader(file: SourceFile): Violation[] {
  const [header, second] = file.comments;
  const statement = childrenOf(file.program)[0];
  const begins = header?.isBlock === true && header.text.startsWith("*") && file.text.slice(0, header.start).trim() === "";
  const isOwn =
    begins &&
    (statement === undefined ||
      statement.type === "ImportDeclaration" ||
      (second !== undefined && second.end <= statement.start) ||
      !isExport(statement));
  return isOwn ? [] : [{ path: file.path, line: 1, message: "begin the file with a /** comment */: what it is, what it owns, what it must not do" }];
}

function isExport(statement: SyntaxNode): boolean {
  return statement.type.startsWith("Export") && statement.source === null;
}

function checkDocs(file: SourceFile): Violation[] {
  return undocumentedExports(file).missing.map(({ name, line }) => ({
    path: file.path,
    line,
    message: `${name} is exported without a doc comment: give its meaning, units, defaults and errors`,
  }));
}

function checkNames(file: SourceFile): Violation[] {
  const folders = posix.dirname(file.path).split("/");
  const base = posix.basename(file.path);
  const vague = [...folders, ...(base.split(".")[0] ?? "").split("-")].find((word) => VAGUE.test(word));
  if (vague !== undefined)
    return [{ path: file.path, line: 0, message: `"${vague}" says nothing: name the file or folder by the one thing it holds` }];
  return FILE_NAME.test(base) ? [] : [{ path: file.path, line: 0, message: "write file names in lower case, words joined by hyphens" }];
}

function checkResidue(file: SourceFile): Violation[] {
  return file.comments
    .filter((comment) => RESIDUE.test(comment.text) || (isProduct(file.path) && EXPECTED_ERROR.test(comment.text)))
    .map((comment) => ({
      path: file.path,
      line: file.lineAt(comment.start),
      message: `"${comment.text.trim().slice(0, 40)}": finish it, or repair what the checker found`,
    }));
}

function checkAny(file: SourceFile): Violation[] {
  return anyTypes(file).map((node) => ({
    path: file.path,
    line: file.lineAt(node.start),
    message: "any turns the checker off: use the type, or unknown and narrow it",
  }));
}

function checkCatch(file: SourceFile): Violation[] {
  const violations: Violation[] = [];
  walk(file.program, (node) => {
    if (!ignoresError(file, node)) return;
    violations.push({
      path: file.path,
      line: file.lineAt(node.start),
      message: "the error is dropped without a word: handle it, or say in a comment why it does not matter",
    });
  });
  return violations;
}

/** True for `catch {}` and for `.catch(() => {})` without so much as a comment. */
function ignoresError(file: SourceFile, node: SyntaxNode): boolean {
  if (node.type === "CatchClause") return isBlank(file, node.body as SyntaxNode);
  if (node.type !== "CallExpression" || (node.callee as SyntaxNode).type !== "MemberExpression") return false;
  const method = ((node.callee as SyntaxNode).property as SyntaxNode).name;
  const [handler] = node.arguments as SyntaxNode[];
  return (
    method === "catch" &&
    handler !== undefined &&
    handler.type === "ArrowFunctionExpression" &&
    handler.expression !== true &&
    isBlank(file, handler.body as SyntaxNode)
  );
}

function isBlank(file: SourceFile, block: SyntaxNode): boolean {
  return file.text.slice(block.start + 1, block.end - 1).trim() === "";
}

function checkWaits(file: SourceFile): Violation[] {
  const violations: Violation[] = file.imports
    .filter((edge) => WAIT_MODULES.has(edge.specifier))
    .map((edge) => ({
      path: file.path,
      line: edge.line,
      message: `${edge.specifier} waits for time: use waitUntil of test/support, or a virtual clock`,
    }));
  walk(file.program, (node) => {
    const name = node.type === "CallExpression" ? dottedName(node.callee) : undefined;
    if (name === undefined || !(WAITS.has(name) || name === "Math.random")) return;
    const instead = name === "Math.random" ? "a seeded Random" : "waitUntil of test/support, or a virtual clock";
    violations.push({
      path: file.path,
      line: file.lineAt(node.start),
      message: `${name} makes the test depend on ${name === "Math.random" ? "chance" : "time"}: use ${instead}`,
    });
  });
  return violations;
}
