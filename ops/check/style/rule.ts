/**
 * What a style rule is: a name, and a pure function from the source tree to the places that break it. Rules know nothing of the file
 * system or of the test runner, so that a test can hand them a planted violation.
 */
import type { SourceFile } from "./oxc-source.ts";
import type { SourceTree } from "./source-tree.ts";

/** One place that breaks a rule. The message says what to do instead. */
export interface Violation {
  readonly path: string;
  /** From 1; 0 if the whole file or tree is meant. */
  readonly line: number;
  readonly message: string;
}

/** A rule of style. */
export interface StyleRule {
  /** One sentence that is true of a tree without violations. */
  readonly name: string;
  check(tree: SourceTree): Violation[];
}

/** A rule that looks at each file by itself. `applies` chooses the files by path; without it all are looked at. */
export function fileRule(name: string, check: (file: SourceFile) => Violation[], applies: (path: string) => boolean = () => true): StyleRule {
  return { name, check: (tree) => tree.files.filter((file) => applies(file.path)).flatMap(check) };
}

/** A violation as one line: `path:line  message`. For tests, which list the violations. */
export function formatViolation(violation: Violation): string {
  return `${violation.path}${violation.line > 0 ? `:${violation.line}` : ""}  ${violation.message}`;
}
