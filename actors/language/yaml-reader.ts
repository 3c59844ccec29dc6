/**
 * From the nodes of a YAML document to a JSON value, in one pass in document order. An alias becomes the very value of its anchor, which
 * was read before; its size and height count at every use, so that multiplying aliases are refused without being written out.
 */
import { type Alias, isAlias, isMap, isScalar, isSeq, type Pair, type ParsedNode, type YAMLMap, type YAMLSeq } from "yaml";
import { LIMITS } from "../../runtime/limits.ts";
import type { Json } from "../json.ts";

/** A value, with what it would take if it were written out: characters, roughly, and levels of nesting. */
interface Measured {
  readonly value: Json;
  readonly length: number;
  readonly height: number;
}

const NOTHING: Measured = { value: null, length: 0, height: 0 };

/** Reads one document; single use. */
export class YamlReader {
  readonly #fault: (offset: number, description: string) => void;
  readonly #anchors = new Map<string, { node: ParsedNode; measured: Measured }>();
  readonly #targets = new Map<Alias, ParsedNode>();
  #aliasLength = 0;

  /** `fault` takes what is wrong at an offset of the text. Reading goes on after it. */
  constructor(fault: (offset: number, description: string) => void) {
    this.#fault = fault;
  }

  /** The value of the document's root node. */
  read(root: ParsedNode | null): Json {
    return this.#node(root, 1).value;
  }

  /** The node that an alias stands for, or undefined if it was refused. */
  targetOf(alias: Alias): ParsedNode | undefined {
    return this.#targets.get(alias);
  }

  #node(node: ParsedNode | null, depth: number): Measured {
    if (node === null) return NOTHING;
    if (isAlias(node)) return this.#alias(node, depth);
    if (node.tag !== undefined) this.#tag(node.tag, node.range[0]);
    const measured = this.#content(node, depth);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, { node, measured });
    return measured;
  }

  #tag(tag: string, offset: number): void {
    this.#fault(offset, `the tag ${tag.replace("tag:yaml.org,2002:", "!!")} is not supported: remove it.`);
  }

  #content(node: Exclude<ParsedNode, Alias.Parsed>, depth: number): Measured {
    if (isScalar(node)) return { value: this.#scalar(node.value, node.range[0]), length: (node.source?.length ?? 0) + 1, height: 0 };
    if (depth > LIMITS.nestingDepth) {
      this.#fault(node.range[0], `nested deeper than ${LIMITS.nestingDepth} levels: divide the document.`);
      return NOTHING;
    }
    return isMap(node) ? this.#mapping(node as YAMLMap.Parsed, depth) : this.#sequence(node as YAMLSeq.Parsed, depth);
  }

  #scalar(value: unknown, offset: number): Json {
    if (typeof value === "string") return this.#text(value, offset);
    if (typeof value === "boolean" || value === null) return value;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    this.#fault(offset, "not a number that JSON can hold: quote it, or write a finite number.");
    return null;
  }

  #mapping(node: YAMLMap.Parsed, depth: number): Measured {
    const entries = new Map<string, Json>();
    let length = 1;
    let height = 0;
    for (const pair of node.items as Pair<ParsedNode, ParsedNode | null>[]) {
      const key = this.#key(pair.key);
      if (entries.has(key)) this.#fault(pair.key.range[0], `the key ${key} stands here a second time: keep one.`);
      const measured = this.#node(pair.value, depth + 1);
      entries.set(key, measured.value);
      length += key.length + 1 + measured.length;
      height = Math.max(height, measured.height);
    }
    // fromEntries defines fields: a key `__proto__` becomes a field like any other
    return { value: Object.fromEntries(entries), length, height: height + 1 };
  }

  #key(key: ParsedNode): string {
    if (!isScalar(key)) {
      this.#fault(key.range[0], "a key must be a text.");
      return "";
    }
    if (key.tag !== undefined) this.#tag(key.tag, key.range[0]);
    if (key.value === "<<" && key.type === "PLAIN") {
      this.#fault(key.range[0], "merge keys (<<) are not part of YAML 1.2: write the fields out, or use an alias for the whole value.");
    }
    return this.#text(String(key.value), key.range[0]);
  }

  /** An escape can write half of a character, which no UTF-8 can hold: stored, it would come back as another text. */
  #text(value: string, offset: number): string {
    if (!value.isWellFormed()) this.#fault(offset, "half of a surrogate pair stands here: write the character itself, or both halves.");
    return value;
  }

  #sequence(node: YAMLSeq.Parsed, depth: number): Measured {
    const values: Json[] = [];
    let length = 1;
    let height = 0;
    for (const item of node.items) {
      const measured = isSeq(item) || isMap(item) || isScalar(item) || isAlias(item) ? this.#node(item, depth + 1) : NOTHING;
      values.push(measured.value);
      length += measured.length;
      height = Math.max(height, measured.height);
    }
    return { value: values, length, height: height + 1 };
  }

  #alias(alias: Alias.Parsed, depth: number): Measured {
    const anchor = this.#anchors.get(alias.source);
    const offset = alias.range[0];
    if (anchor === undefined) {
      this.#fault(offset, `the alias *${alias.source} has no anchor before it: put &${alias.source} at the value that it repeats.`);
      return NOTHING;
    }
    this.#targets.set(alias, anchor.node);
    this.#aliasLength += anchor.measured.length;
    if (this.#aliasLength > LIMITS.documentAliasLength) {
      this.#fault(offset, `the aliases would add more than ${LIMITS.documentAliasLength} characters to the document: use fewer of them.`);
      return NOTHING;
    }
    if (depth + anchor.measured.height - 1 > LIMITS.nestingDepth) {
      this.#fault(offset, `with this alias written out, nested deeper than ${LIMITS.nestingDepth} levels.`);
      return NOTHING;
    }
    return anchor.measured;
  }
}
