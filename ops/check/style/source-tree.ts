/**
 * The repository as the style rules see it: every TypeScript file that people wrote, parsed, and the few texts beside them that rules
 * compare with. Generated code (`proto/gen`) and the example services, which are programs of their own, are left out.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSource, type SourceFile } from "./oxc-source.ts";

/** What a style rule is given. */
export interface SourceTree {
  readonly files: readonly SourceFile[];
  /** The text of `package.json`. */
  readonly manifest: string;
  /** The text of `ARCHITECTURE.md`, or undefined if there is none. */
  readonly architecture: string | undefined;
}

/** The top-level folders in the order of imports: each may import itself and those before it. */
export const LAYERS = ["proto", "runtime", "actors", "gateway", "ops", "test"] as const;

const EXCLUDED = [/^proto\/gen\//, /\/node_modules\//, /^ops\/examples\/[^/]+\/service\//];

/** Reads and parses the repository below `root` (a path of the file system). */
export function readSourceTree(root: string): SourceTree {
  const paths = LAYERS.flatMap((layer) => globSync(`${layer}/**/*.ts`, { cwd: root })).map((path) => path.replaceAll("\\", "/"));
  const read = (path: string): string => readFileSync(join(root, path), "utf8");
  return {
    files: paths
      .filter((path) => !EXCLUDED.some((pattern) => pattern.test(path)))
      .sort()
      .map((path) => parseSource(path, read(path))),
    manifest: read("package.json"),
    architecture: existsSync(join(root, "ARCHITECTURE.md")) ? read("ARCHITECTURE.md") : undefined,
  };
}

/** True for a file of the product, as opposed to one of its tests. */
export function isProduct(path: string): boolean {
  return !path.startsWith("test/");
}
