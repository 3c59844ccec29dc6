/**
 * What can only be seen from the whole graph of imports: circles, files that nothing leads to, and exports that nobody takes.
 */
import { targetPath } from "./import-rules.ts";
import type { ExportedName, SourceFile } from "./oxc-source.ts";
import type { StyleRule, Violation } from "./rule.ts";
import { isProduct, type SourceTree } from "./source-tree.ts";

/** Files whose exports are meant for programs outside this repository. */
const PUBLIC_FILES = new Set(["actors/index.ts"]);

/** Modules that are loaded by path at run time: the handlers of examples, benchmarks and tests. */
const LOADED_BY_PATH = /^ops\/(examples|bench\/handlers)\/|^test\/fixtures\//;

/** Says, in a doc comment or a file header, that something exists for tests. */
const FOR_TESTS = /\bfor (?:\w+ ){0,2}tests\b/i;

/** The rules about the graph of imports. */
export const GRAPH_RULES: readonly StyleRule[] = [
  { name: "imports form no circle at run time", check: checkCircles },
  { name: "every file is reached from an entry point", check: checkDeadFiles },
  { name: "every export is used by another file", check: checkDeadExports },
];

/** Paths of the files that `file` refers to. */
function targetsOf(file: SourceFile): string[] {
  return file.imports.map((edge) => targetPath(file, edge)).filter((path) => path !== undefined);
}

function checkCircles(tree: SourceTree): Violation[] {
  const targets = new Map(tree.files.map((file) => [file.path, staticTargets(file)]));
  const finished = new Set<string>();
  const violations: Violation[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) violations.push({ path, line: 0, message: `imports itself in a circle: ${[...trail.slice(start), path].join(" -> ")}` });
    if (start >= 0 || finished.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    finished.add(path);
  };
  for (const file of tree.files) visit(file.path, []);
  return violations;
}

/**
 * Targets of import statements. Types may refer to each other, since they are gone when the program runs; a thread entry that is named by URL is
 * loaded in another thread and makes no circle.
 */
function staticTargets(file: SourceFile): string[] {
  return file.imports
    .filter((edge) => !edge.isLate && !edge.isType)
    .map((edge) => targetPath(file, edge))
    .filter((path) => path !== undefined);
}

function checkDeadFiles(tree: SourceTree): Violation[] {
  const byPath = new Map(tree.files.map((file) => [file.path, file]));
  const isEntry = (path: string): boolean =>
    path.endsWith(".test.ts") || PUBLIC_FILES.has(path) || LOADED_BY_PATH.test(path) || tree.manifest.includes(path);
  const waiting = tree.files.map((file) => file.path).filter(isEntry);
  const reached = new Set(waiting);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const file = byPath.get(path);
    for (const target of file === undefined ? [] : targetsOf(file)) {
      if (!reached.has(target)) waiting.push(target);
      reached.add(target);
    }
  }
  return tree.files
    .filter((file) => !reached.has(file.path))
    .map((file) => ({ path: file.path, line: 0, message: "nothing leads to this file: delete it, or import it where it belongs" }));
}

function checkDeadExports(tree: SourceTree): Violation[] {
  const usedByProduct = usedNames(tree.files.filter((file) => isProduct(file.path)));
  const usedByTests = usedNames(tree.files.filter((file) => !isProduct(file.path)));
  const takenFrom = (used: Map<string, Set<string>>, path: string, name: string): boolean =>
    used.get(path)?.has(name) === true || used.get(path)?.has("*") === true;
  return tree.files.flatMap((file) =>
    PUBLIC_FILES.has(file.path) || LOADED_BY_PATH.test(file.path) || file.path.endsWith(".test.ts")
      ? []
      : file.exports.flatMap((exported) => {
          if (takenFrom(usedByProduct, file.path, exported.name)) return [];
          if (takenFrom(usedByTests, file.path, exported.name))
            return isProduct(file.path) && !isForTests(file, exported) ? [testOnly(file, exported)] : [];
          if (exported.isType && occurrences(file, exported.name) > 1) return [];
          return [{ path: file.path, line: exported.line, message: `nobody imports ${exported.name}: drop the export, or the code` }];
        }),
  );
}

function testOnly(file: SourceFile, exported: ExportedName): Violation {
  return {
    path: file.path,
    line: exported.line,
    message: `only tests use ${exported.name}: test it through what uses it, or say "For tests" in its doc comment`,
  };
}

function isForTests(file: SourceFile, exported: ExportedName): boolean {
  const header = file.comments[0]?.text ?? "";
  return (exported.isType && occurrences(file, exported.name) > 1) || FOR_TESTS.test(unwrap(exported.doc ?? "")) || FOR_TESTS.test(unwrap(header));
}

/** A comment's text on one line, without the stars that begin its lines. */
function unwrap(comment: string): string {
  return comment.replace(/\s*\n\s*\*\s?/g, " ");
}

/** How often a name stands in the file's code. A word in a comment or a string counts too, which errs on the mild side. */
function occurrences(file: SourceFile, name: string): number {
  return file.text.split(new RegExp(`\\b${name}\\b`)).length - 1;
}

function usedNames(files: readonly SourceFile[]): Map<string, Set<string>> {
  const used = new Map<string, Set<string>>();
  for (const file of files) {
    for (const edge of file.imports) {
      const target = targetPath(file, edge);
      if (target === undefined) continue;
      const names = used.get(target) ?? new Set<string>();
      used.set(target, names);
      for (const name of edge.names) names.add(name);
    }
  }
  return used;
}
