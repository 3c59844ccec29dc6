/**
 * A TypeScript source file, parsed once and shared by every style rule. This is the only file that knows the parser: rules see plain
 * syntax nodes, comments, and the names that a file takes from and gives to others.
 */
import { type ParseResult, parseSync } from "oxc-parser";

/** A node of the syntax tree (ESTree with TypeScript's nodes). `start` and `end` are offsets in the text. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** A comment, without its delimiters. A doc comment is a block whose text starts with `*`. */
export interface SourceComment {
  readonly text: string;
  readonly isBlock: boolean;
  readonly start: number;
  readonly end: number;
}

/** One place where a file refers to another file or to a package. */
export interface ImportEdge {
  readonly specifier: string;
  /** Names taken from the other file; `*` stands for all of them. */
  readonly names: readonly string[];
  /** True if the other file is loaded by an expression while the program runs, perhaps in another thread. */
  readonly isLate: boolean;
  /** True if only types are taken, which leaves no trace at run time. */
  readonly isType: boolean;
  readonly line: number;
}

/** One name that a file exports by a statement of its own. */
export interface ExportedName {
  readonly name: string;
  readonly line: number;
  /** Where the name comes from if the file only passes it on. */
  readonly from: string | undefined;
  /** True for interfaces and type aliases, which leave no trace at run time. */
  readonly isType: boolean;
  /** The text of its doc comment, or undefined without one. */
  readonly doc: string | undefined;
}

/** A parsed file. `path` is relative to the repository's root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly program: SyntaxNode;
  readonly comments: readonly SourceComment[];
  readonly imports: readonly ImportEdge[];
  readonly exports: readonly ExportedName[];
  /** The line of an offset, from 1. */
  lineAt(offset: number): number;
}

/** Parses a file. Throws an Error that names the file and the first fault if the text is not TypeScript. */
export function parseSource(path: string, text: string): SourceFile {
  const parsed = parseSync(path, text);
  const fault = parsed.errors[0];
  if (fault !== undefined) throw new Error(`${path} can't be parsed: ${fault.message}`);
  const program = parsed.program as unknown as SyntaxNode;
  const lineAt = lineIndex(text);
  const comments = parsed.comments.map((comment) => ({
    text: comment.value,
    isBlock: String(comment.type) === "Block",
    start: comment.start,
    end: comment.end,
  }));
  const imports = [...staticEdges(parsed, lineAt), ...lateEdges(program, lineAt)];
  return { path, text, program, comments, imports, exports: exportedNames(program, parsed, comments, text, lineAt), lineAt };
}

/** Visits `node` and everything below it, parents first. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode, parent: SyntaxNode | undefined) => void, parent?: SyntaxNode): void {
  visit(node, parent);
  for (const child of childrenOf(node)) walk(child, visit, node);
}

/** The nodes directly below `node`. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  return Object.values(node).flat().filter(isNode);
}

/** The value of a string literal or of a template without substitutions, or undefined for anything else. */
export function literalText(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type === "TemplateLiteral" && (node.expressions as unknown[]).length === 0) return templateParts(node)[0];
  return undefined;
}

/** The fixed parts of a template literal, in order. */
export function templateParts(node: SyntaxNode): string[] {
  return (node.quasis as { value: { raw: string } }[]).map((part) => part.value.raw);
}

/** A dotted name such as `Math.random` or `setTimeout`, or undefined if the node is no plain name. */
export function dottedName(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Identifier") return node.name as string;
  if (node.type === "MetaProperty") return `${dottedName(node.meta)}.${dottedName(node.property)}`;
  if (node.type !== "MemberExpression" || node.computed === true) return undefined;
  const object = dottedName(node.object);
  return object === undefined ? undefined : `${object}.${dottedName(node.property)}`;
}

/** True if `value` is a syntax node. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

function lineIndex(text: string): (offset: number) => number {
  const starts = [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];
  return (offset) => {
    const after = starts.findIndex((start) => start > offset);
    return after === -1 ? starts.length : after;
  };
}

function staticEdges(parsed: ParseResult, lineAt: (offset: number) => number): ImportEdge[] {
  const taken = parsed.module.staticImports.map((statement) => ({
    specifier: statement.moduleRequest.value,
    names: statement.entries.map((entry) => entry.importName.name ?? (String(entry.importName.kind) === "Default" ? "default" : "*")),
    isLate: false,
    isType: statement.entries.length > 0 && statement.entries.every((entry) => entry.isType),
    line: lineAt(statement.start),
  }));
  const passedOn = parsed.module.staticExports.flatMap((statement) =>
    statement.entries.flatMap((entry) =>
      entry.moduleRequest === null
        ? []
        : [
            {
              specifier: entry.moduleRequest.value,
              names: [entry.importName.name ?? "*"],
              isLate: false,
              isType: entry.isType,
              line: lineAt(entry.start),
            },
          ],
    ),
  );
  return [...taken, ...passedOn];
}

/**
 * Files that are loaded by an expression: `import("x")`, `import("x").Type`, `new URL("./x.ts", import.meta.url)`, `import.meta.resolve("x")`,
 * `siblingModule("x")`.
 */
function lateEdges(program: SyntaxNode, lineAt: (offset: number) => number): ImportEdge[] {
  const edges: ImportEdge[] = [];
  walk(program, (node) => {
    const specifier = lateSpecifier(node);
    if (specifier !== undefined) edges.push({ specifier, names: ["*"], isLate: true, isType: false, line: lineAt(node.start) });
  });
  return edges;
}

function lateSpecifier(node: SyntaxNode): string | undefined {
  if (node.type === "ImportExpression" || node.type === "TSImportType") return literalText(node.source);
  const [first, second] = Array.isArray(node.arguments) ? node.arguments : [];
  if (node.type === "NewExpression" && dottedName(node.callee) === "URL" && dottedName(second) === "import.meta.url") return literalText(first);
  if (node.type !== "CallExpression") return undefined;
  const name = literalText(first);
  if (dottedName(node.callee) === "import.meta.resolve") return name;
  return dottedName(node.callee) === "siblingModule" && name !== undefined ? `./${name}.ts` : undefined;
}

function exportedNames(
  program: SyntaxNode,
  parsed: ParseResult,
  comments: readonly SourceComment[],
  text: string,
  lineAt: (offset: number) => number,
): ExportedName[] {
  const statements = childrenOf(program);
  const docBefore = (offset: number): string | undefined => {
    const comment = comments.findLast((candidate) => candidate.end <= offset && text.slice(candidate.end, offset).trim() === "");
    return comment?.isBlock && comment.text.startsWith("*") ? comment.text : undefined;
  };
  return parsed.module.staticExports.flatMap((statement) =>
    statement.entries.map((entry) => {
      const local = entry.localName.name;
      const declaration =
        statements.find((candidate) => local !== null && declaredNames(candidate).includes(local)) ??
        statements.find((candidate) => candidate.start === statement.start);
      return {
        name: entry.exportName.name ?? (String(entry.exportName.kind) === "Default" ? "default" : "*"),
        line: lineAt(entry.start),
        from: entry.moduleRequest?.value,
        isType: entry.isType || (declaration !== undefined && isTypeDeclaration(declaration)),
        doc: docBefore(declaration?.start ?? statement.start),
      };
    }),
  );
}

function declaredNames(statement: SyntaxNode): string[] {
  const declaration = isNode(statement.declaration) ? statement.declaration : statement;
  const declarators = Array.isArray(declaration.declarations) ? (declaration.declarations as SyntaxNode[]) : [declaration];
  return declarators.map((declarator) => dottedName(declarator.id)).filter((name) => name !== undefined);
}

function isTypeDeclaration(statement: SyntaxNode): boolean {
  const declaration = isNode(statement.declaration) ? statement.declaration : statement;
  return declaration.type === "TSInterfaceDeclaration" || declaration.type === "TSTypeAliasDeclaration";
}
