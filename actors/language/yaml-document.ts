/**
 * A workflow document as text: YAML 1.2 (core schema) or JSON, which is a part of it. Turns the text into a JSON value and remembers where
 * each part of it stands, for messages. Refuses what can exhaust the node or surprise the author: too many bytes, deep nesting, aliases
 * that multiply, duplicate keys, merge keys, tags, several documents. Knows nothing of workflows.
 */
import { Composer, type CST, type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, Parser, type YAMLError } from "yaml";
import { LIMITS } from "../../runtime/limits.ts";
import type { Json } from "../json.ts";
import { segmentsOf } from "./pointer.ts";
import { type Position, Violations } from "./violations.ts";
import { tooDeepAt } from "./yaml-nesting.ts";
import { YamlReader } from "./yaml-reader.ts";

/** A parsed document. */
export interface YamlDocument {
  readonly value: Json;
  /** Where the part that the pointer names stands: its key, or the item of a list. If there is no such part: the nearest one around it. */
  position(pointer: string): Position;
}

/** What to do about the errors that authors meet most. */
const ADVICE: Partial<Record<YAMLError["code"], string>> = {
  TAB_AS_INDENT: "Indent with spaces.",
  BAD_INDENT: "Align it with the lines around it.",
  BAD_SCALAR_START: "Quote the text.",
  MISSING_CHAR: "Is a bracket, a quote or a - missing?",
  MULTILINE_IMPLICIT_KEY: "A key must stand on one line; is a quote or a colon missing?",
  BLOCK_AS_IMPLICIT_KEY: 'Quote the value if it contains ": ".',
  TAG_RESOLVE_FAILED: "Tags are not supported: remove it.",
};

/** Parses YAML or JSON. @throws MaestroError DOCUMENT_INVALID if it is neither, or is refused as said above. */
export function parseYamlDocument(text: string): YamlDocument {
  const lines = new LineCounter();
  const violations = new Violations();
  const fault = (offset: number, description: string) => violations.addAt("", positionAt(lines, offset), description);

  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.documentBytes) fault(0, `the document has ${bytes} bytes; at most ${LIMITS.documentBytes} are taken: divide it.`);
  violations.throwIfAny();

  const document = compose(text, lines, fault);
  violations.throwIfAny();

  const reader = new YamlReader(fault);
  const value = reader.read(document?.contents ?? null);
  violations.throwIfAny();
  return { value, position: (pointer) => positionAt(lines, offsetOf(document?.contents ?? null, segmentsOf(pointer), reader)) };
}

type Parsed = Document.Parsed<ParsedNode>;

function compose(text: string, lines: LineCounter, fault: (offset: number, description: string) => void): Parsed | undefined {
  const tokens: CST.Token[] = [];
  for (const token of new Parser(lines.addNewLine).parse(text)) {
    const deep = tooDeepAt(token, LIMITS.nestingDepth);
    if (deep !== undefined) {
      fault(deep, `nested deeper than ${LIMITS.nestingDepth} levels: divide the document.`);
      return undefined;
    }
    tokens.push(token);
  }
  // keys are texts as in JSON; duplicates are found by the reader, as the composer's own search takes quadratic time
  const composer = new Composer({ version: "1.2", schema: "core", stringKeys: true, uniqueKeys: false, resolveKnownTags: false });
  let first: Parsed | undefined;
  for (const document of composer.compose(tokens, true, text.length)) {
    if (first !== undefined) {
      fault(document.range[0], "a second document begins here: deploy each in a request of its own.");
      break;
    }
    first = document as Parsed;
    if (first.directives.yaml.version !== "1.2") fault(0, `YAML ${first.directives.yaml.version} is not supported: remove the %YAML directive.`);
    for (const error of first.errors.slice(0, LIMITS.documentViolations)) {
      fault(error.pos[0], `not valid YAML: ${error.message}. ${ADVICE[error.code] ?? "Correct the text here."}`);
    }
  }
  return first;
}

function offsetOf(root: ParsedNode | null, segments: readonly string[], reader: YamlReader): number {
  let node: ParsedNode | undefined | null = root;
  let offset = root?.range[0] ?? 0;
  for (const segment of segments) {
    if (isAlias(node)) node = reader.targetOf(node);
    if (isMap(node)) {
      const pair = node.items.find((candidate) => isScalar(candidate.key) && String(candidate.key.value) === segment);
      if (pair === undefined) return offset;
      offset = (pair.key as ParsedNode).range[0];
      node = pair.value as ParsedNode | null;
    } else if (isSeq(node)) {
      const item = node.items[Number(segment)] as ParsedNode | undefined;
      if (item === undefined) return offset;
      offset = item.range[0];
      node = item;
    } else return offset;
  }
  return offset;
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
