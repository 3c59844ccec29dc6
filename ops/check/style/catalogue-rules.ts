/**
 * The registries of the runtime (errors, limits, events) against what the code does with them and what the documentation says: a code
 * that is never raised, a bound that nothing enforces and an event that is never emitted are promises that are not kept.
 */
import { dottedName, isNode, literalText, type SourceFile, type SyntaxNode, walk } from "./oxc-source.ts";
import type { StyleRule, Violation } from "./rule.ts";
import { isProduct, type SourceTree } from "./source-tree.ts";

const ERRORS_FILE = "runtime/error-registry.ts";
/** Where error codes are, and by which constant. */
const ERROR_REGISTRIES = [
  [ERRORS_FILE, "ERRORS"],
  ["runtime/storage-errors.ts", "STORAGE_ERRORS"],
] as const;
const LIMITS_FILE = "runtime/limits.ts";
const EVENTS_FILE = "runtime/events.ts";

/** A heading of ARCHITECTURE.md that begins the list of error codes, and a row of that list. */
const CODES_HEADING = /^#+ .*error codes.*$/im;
const CODE_ROW = /^(?:\||[-*])\s*`([A-Z][A-Z0-9_]*)`/;

/** The rules about registries. */
export const CATALOGUE_RULES: readonly StyleRule[] = [
  { name: "ARCHITECTURE.md lists every error code, and no other", check: checkArchitecture },
  {
    name: "every error code is raised somewhere",
    check: (tree) =>
      ERROR_REGISTRIES.flatMap(([path, name]) => unusedKeys(tree, path, name, "is never raised: raise it, or remove it before it is published")),
  },
  {
    name: "every limit is enforced somewhere",
    check: (tree) => unusedKeys(tree, LIMITS_FILE, "LIMITS", "bounds nothing: enforce it where the thing grows, or remove it"),
  },
  { name: "every event is emitted and observed somewhere", check: checkEvents },
];

function checkArchitecture(tree: SourceTree): Violation[] {
  const codes = ERROR_REGISTRIES.flatMap(([path, name]) => {
    const registry = tree.files.find((file) => file.path === path);
    return registry === undefined ? [] : keysOf(registry, name).map((key) => key.name);
  });
  if (codes.length === 0) return [];
  if (tree.architecture === undefined)
    return [{ path: "ARCHITECTURE.md", line: 0, message: 'is missing: it lists every error code under a heading with the words "Error codes"' }];
  const listed = listedCodes(tree.architecture);
  const missing = codes.filter((code) => !listed.includes(code)).map((code) => `does not list ${code} under "Error codes"`);
  const dead = listed.filter((code) => !codes.includes(code)).map((code) => `lists ${code}, which is not in ${ERRORS_FILE}`);
  return [...missing, ...dead].map((message) => ({ path: "ARCHITECTURE.md", line: 0, message }));
}

/** Codes in the first cell of each row (or bullet) between the heading and the next one. */
function listedCodes(text: string): string[] {
  const heading = CODES_HEADING.exec(text);
  if (heading === null) return [];
  const section = text.slice(heading.index + heading[0].length).split(/^#+ /m)[0] ?? "";
  return section.split("\n").flatMap((line) => CODE_ROW.exec(line)?.[1] ?? []);
}

function unusedKeys(tree: SourceTree, path: string, constant: string, message: string): Violation[] {
  const registry = tree.files.find((file) => file.path === path);
  if (registry === undefined) return [];
  const used = mentions(tree.files.filter((file) => isProduct(file.path) && file.path !== path));
  return keysOf(registry, constant)
    .filter((key) => !used.has(key.name))
    .map((key) => ({ path, line: key.line, message: `${key.name} ${message}` }));
}

function checkEvents(tree: SourceTree): Violation[] {
  const registry = tree.files.find((file) => file.path === EVENTS_FILE);
  if (registry === undefined) return [];
  const others = tree.files.filter((file) => isProduct(file.path) && file.path !== EVENTS_FILE);
  const emitted = new Map<string, number>();
  const mentioned = new Map<string, number>();
  for (const file of others) {
    walk(file.program, (node) => {
      const text = literalText(node);
      if (text !== undefined) mentioned.set(text, (mentioned.get(text) ?? 0) + 1);
      if (node.type !== "CallExpression" || !/(^|\.|#)emit$/.test(calledMethod(node))) return;
      const name = literalText((node.arguments as unknown[])[0]);
      if (name !== undefined) emitted.set(name, (emitted.get(name) ?? 0) + 1);
    });
  }
  return keysOf(registry, "RuntimeEvents").flatMap((key) => {
    const emits = emitted.get(key.name) ?? 0;
    if (emits === 0) return [{ path: EVENTS_FILE, line: key.line, message: `${key.name} is never emitted: emit it, or remove it` }];
    const isObserved = (mentioned.get(key.name) ?? 0) > emits;
    return isObserved
      ? []
      : [{ path: EVENTS_FILE, line: key.line, message: `${key.name} is emitted but nothing subscribes: log it, count it, or remove it` }];
  });
}

function calledMethod(call: SyntaxNode): string {
  const callee = call.callee as SyntaxNode;
  return callee.type === "MemberExpression" ? (dottedName(callee.property) ?? "") : (dottedName(callee) ?? "");
}

/** Every word that appears as a string, a member's name or an object's key. */
function mentions(files: readonly SourceFile[]): Set<string> {
  const words = new Set<string>();
  for (const file of files) {
    walk(file.program, (node) => {
      const word = literalText(node) ?? (node.type === "Identifier" ? (node.name as string) : undefined);
      if (word !== undefined) words.add(word);
    });
  }
  return words;
}

/** The keys of the object literal (or interface) that is declared by a name at the top of a file. */
function keysOf(file: SourceFile, name: string): { readonly name: string; readonly line: number }[] {
  const keys: { name: string; line: number }[] = [];
  walk(file.program, (node) => {
    if (node.type === "VariableDeclarator" && dottedName(node.id) === name) keys.push(...propertyNames(file, objectOf(node.init), "properties"));
    if (node.type === "TSInterfaceDeclaration" && dottedName(node.id) === name) keys.push(...propertyNames(file, node.body, "body"));
  });
  return keys;
}

/** The object literal inside `Object.freeze({})`, `as const` and `{} satisfies T`. */
function objectOf(node: unknown): unknown {
  if (!isNode(node) || node.type === "ObjectExpression") return node;
  return objectOf(node.type === "CallExpression" ? (node.arguments as unknown[])[0] : node.expression);
}

function propertyNames(file: SourceFile, owner: unknown, field: "properties" | "body"): { name: string; line: number }[] {
  if (!isNode(owner)) return [];
  return (owner[field] as SyntaxNode[]).flatMap((member) => {
    const name = dottedName(member.key) ?? literalText(member.key);
    return name === undefined ? [] : [{ name, line: file.lineAt(member.start) }];
  });
}
