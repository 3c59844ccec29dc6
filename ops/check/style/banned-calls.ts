/**
 * Calls that the product must not make, each with what to use instead: time and chance come through ports, a library never ends the
 * process, logs go through events, and SQL takes values as parameters.
 */
import { dottedName, isNode, literalText, type SourceFile, type SyntaxNode, templateParts, walk } from "./oxc-source.ts";
import { fileRule, type StyleRule, type Violation } from "./rule.ts";
import { isProduct } from "./source-tree.ts";

interface Ban {
  /** Dotted names, as they are written. A name that ends with `.` bans everything below it. */
  readonly names: readonly string[];
  readonly instead: string;
  /** Paths in which the name is at home. */
  readonly except: RegExp;
}

/** Handlers in the examples are users' code, which has no ports. */
const TIME_AND_CHANCE = /^runtime\/(clock|random)\.ts$|^ops\/examples\//;

/** Files that are a process or a thread of their own: the command line, the entries of workers, the examples' programs. */
const ENTRIES = /^ops\/cli\/main\.ts$|^runtime\/workers\/(thread|process-entry)\.ts$|^ops\/examples\//;

const BANS: readonly Ban[] = [
  { names: ["Date.now", "Date()"], instead: "Clock.now() of runtime/clock.ts", except: TIME_AND_CHANCE },
  {
    names: ["performance.now", "process.hrtime", "process.hrtime.bigint"],
    instead: "Clock.monotonic() of runtime/clock.ts",
    except: TIME_AND_CHANCE,
  },
  {
    names: ["setTimeout", "setInterval", "AbortSignal.timeout", "globalThis.setTimeout", "globalThis.setInterval"],
    instead: "Clock.schedule() of runtime/clock.ts",
    except: TIME_AND_CHANCE,
  },
  {
    names: [
      "Math.random",
      "crypto.randomUUID",
      "crypto.randomBytes",
      "crypto.randomInt",
      "crypto.getRandomValues",
      "randomUUID",
      "randomBytes",
      "randomInt",
      "randomFillSync",
    ],
    instead: "the Random port of runtime/random.ts",
    except: TIME_AND_CHANCE,
  },
  {
    names: ["process.exit", "process.abort"],
    instead: "an error for the caller, or process.exitCode; only ops/cli/main.ts ends the process",
    except: ENTRIES,
  },
  { names: ["console."], instead: "an event of runtime/events.ts, which ops logs", except: /^ops\/(cli|bench|check|build|examples)\// },
];

/** Modules whose functions are banned above, whatever name they are imported by. */
const BANNED_MODULES: Readonly<Record<string, string>> = {
  "node:timers": "Clock.schedule() of runtime/clock.ts",
  "node:timers/promises": "Clock.schedule() of runtime/clock.ts",
  "node:perf_hooks": "Clock.monotonic() of runtime/clock.ts",
};

const SQL_START =
  /^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE|ALTER|DROP|TRUNCATE|MERGE|LOCK|NOTIFY|LISTEN|SET|COPY|GRANT|VACUUM|ANALYZE)\s/;
const VALUE_FOLLOWS = /([=<>(,'+*/-]|\b(LIKE|ILIKE|IN|LIMIT|OFFSET|BETWEEN|THEN|ELSE))\s*$/i;
const CONSTANT = /^[A-Z][A-Z0-9_]*(\.\w+)*$/;
const ESCAPES = /(^|\.)(escapeIdentifier|escapeLiteral)$/;

/** The rules about calls. */
export const CALL_RULES: readonly StyleRule[] = [
  fileRule("time, chance, exits and console are reached through their ports", checkBans, isProduct),
  fileRule("SQL takes values as parameters, never as text", checkSql, isProduct),
];

function checkBans(file: SourceFile): Violation[] {
  const bans = BANS.filter((ban) => !ban.except.test(file.path));
  const violations: Violation[] = [];
  walk(file.program, (node, parent) => {
    const name = reachedName(node, parent);
    const ban =
      name === undefined
        ? undefined
        : bans.find((candidate) => candidate.names.some((banned) => (banned.endsWith(".") ? name.startsWith(banned) : name === banned)));
    if (ban !== undefined)
      violations.push({ path: file.path, line: file.lineAt(node.start), message: `${name} is not used here: use ${ban.instead}` });
  });
  const modules = TIME_AND_CHANCE.test(file.path) ? [] : file.imports.filter((edge) => Object.hasOwn(BANNED_MODULES, edge.specifier));
  return [
    ...violations,
    ...modules.map((edge) => ({
      path: file.path,
      line: edge.line,
      message: `${edge.specifier} is not used here: use ${BANNED_MODULES[edge.specifier]}`,
    })),
  ];
}

/**
 * The name that a node reaches for, or undefined. A member is named in full wherever it stands, so that passing `Date.now` on as a value
 * counts as well; a plain name counts if it is called.
 */
function reachedName(node: SyntaxNode, parent: SyntaxNode | undefined): string | undefined {
  if (node.type === "MemberExpression") return dottedName(node);
  const isCalled = parent !== undefined && parent.callee === node;
  if (node.type !== "Identifier" || !isCalled) return undefined;
  if (node.name !== "Date") return dottedName(node);
  return parent.type === "CallExpression" || (parent.arguments as unknown[]).length === 0 ? "Date()" : undefined;
}

function checkSql(file: SourceFile): Violation[] {
  const violations: Violation[] = [];
  walk(file.program, (node) => {
    if (!isMixedSql(node)) return;
    violations.push({
      path: file.path,
      line: file.lineAt(node.start),
      message: "a value is written into SQL: bind it as $1, $2 ... and pass names through escapeIdentifier",
    });
  });
  return violations;
}

/**
 * True for SQL that has something mixed in where a value stands: in quotes, after a comparison, in a list, after LIMIT and the like. Whole
 * clauses may be put together from parts, and so may constants in capitals and escaped names.
 */
function isMixedSql(node: SyntaxNode): boolean {
  if (node.type === "TemplateLiteral") {
    const parts = templateParts(node);
    return (
      SQL_START.test(parts[0] ?? "") &&
      (node.expressions as SyntaxNode[]).some((part, index) => VALUE_FOLLOWS.test(parts[index] ?? "") && !isSafePart(part))
    );
  }
  if (node.type !== "BinaryExpression" || node.operator !== "+") return false;
  const left = literalText(node.left) ?? "";
  return SQL_START.test(left) && VALUE_FOLLOWS.test(left) && literalText(node.right) === undefined && !isSafePart(node.right);
}

function isSafePart(node: unknown): boolean {
  if (!isNode(node)) return false;
  if (node.type === "CallExpression") return ESCAPES.test(dottedName(node.callee) ?? "");
  return CONSTANT.test(dottedName(node) ?? "");
}
