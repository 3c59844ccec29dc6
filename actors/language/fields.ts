/**
 * A typed reader of one mapping of a document. Every name that is asked for is known; what is left when it is closed is refused, with the
 * closest known name. Faults are collected, and reading goes on with `undefined`, so that one deployment shows all of them.
 */
import { isJsonObject, type Json } from "../json.ts";
import { pointerTo } from "./pointer.ts";
import { closest, hint } from "./suggest.ts";
import type { Violations } from "./violations.ts";

/** Reader of one mapping. */
export class Fields {
  readonly pointer: string;
  /** The mapping itself. */
  readonly source: { readonly [key: string]: Json };
  /** False if there was no mapping: that was said, and that it has no fields is not worth saying too. */
  readonly present: boolean;
  readonly #violations: Violations;
  /** Names that were asked for. */
  readonly #known = new Set<string>();
  /** Names that were refused: they are not unknown, and not to be suggested. */
  readonly #refused = new Set<string>();

  private constructor(source: { readonly [key: string]: Json } | undefined, pointer: string, violations: Violations) {
    this.source = source ?? {};
    this.present = source !== undefined;
    this.pointer = pointer;
    this.#violations = violations;
  }

  /** A reader of `value`. If it is not a mapping, that is a violation, and the reader has no fields. */
  static of(value: Json | undefined, pointer: string, violations: Violations): Fields {
    if (isJsonObject(value)) return new Fields(value, pointer, violations);
    if (value !== undefined) violations.add(pointer, `must be a mapping of names to values, not ${kindOf(value)}.`);
    return new Fields(undefined, pointer, violations);
  }

  /** Pointer of a field. */
  at(name: string): string {
    return pointerTo(this.pointer, name);
  }

  /** True if the field is present; it counts as known from now on. */
  has(name: string): boolean {
    this.#known.add(name);
    return Object.hasOwn(this.source, name);
  }

  /** Any value, or undefined if the field is absent. */
  json(name: string): Json | undefined {
    return this.has(name) ? this.source[name] : undefined;
  }

  /** Any value; its absence is a violation. */
  requiredJson(name: string): Json | undefined {
    const value = this.json(name);
    if (value === undefined && this.present) this.#violations.add(this.pointer, `lacks the field ${name}: add it.`);
    return value;
  }

  /** A text. */
  text(name: string): string | undefined {
    return this.#textOf(name, this.json(name));
  }

  /** A text; its absence is a violation. */
  requiredText(name: string): string | undefined {
    return this.#textOf(name, this.requiredJson(name));
  }

  /** A text of the given ones. */
  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const text = this.text(name);
    const found = allowed.find((candidate) => candidate === text);
    if (text !== undefined && found === undefined) {
      this.#violations.add(this.at(name), `must be ${choice(allowed)}, not ${JSON.stringify(text)}.${meant(text, allowed)}`);
    }
    return found;
  }

  /** A truth value. */
  flag(name: string): boolean | undefined {
    const value = this.json(name);
    if (value === undefined || typeof value === "boolean") return value;
    this.#violations.add(this.at(name), `must be true or false, not ${kindOf(value)}.`);
    return undefined;
  }

  /** A whole number within bounds. */
  integer(name: string, least: number, most: number): number | undefined {
    const value = this.json(name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    this.#violations.add(this.at(name), `must be a whole number from ${least} to ${most}, not ${shown(value)}.`);
    return undefined;
  }

  /** A reader of a field that holds a mapping, or undefined if it is absent. */
  mapping(name: string): Fields | undefined {
    const value = this.json(name);
    return value === undefined ? undefined : Fields.of(value, this.at(name), this.#violations);
  }

  /** A reader of a field that holds a mapping; its absence is a violation. */
  requiredMapping(name: string): Fields {
    return Fields.of(this.requiredJson(name), this.at(name), this.#violations);
  }

  /** Refuses a field that the specification has and this version has not. True if it is present. */
  unsupported(name: string, instead = ""): boolean {
    this.#refused.add(name);
    if (!Object.hasOwn(this.source, name)) return false;
    this.#violations.add(this.at(name), `${name} is not supported by this version.${instead === "" ? "" : ` ${instead}`}`);
    return true;
  }

  /** Refuses every field that nobody asked for. To be called last. */
  close(): void {
    for (const name of Object.keys(this.source)) {
      if (this.#violations.full) return;
      if (this.#known.has(name) || this.#refused.has(name)) continue;
      this.#violations.add(this.at(name), `unknown field ${name}.${hint(name, [...this.#known].sort())}`);
    }
  }

  #textOf(name: string, value: Json | undefined): string | undefined {
    if (value === undefined || typeof value === "string") return value;
    const quote = typeof value === "number" || typeof value === "boolean" ? `: quote it, ${name}: "${value}"` : "";
    this.#violations.add(this.at(name), `must be a text, not ${kindOf(value)}${quote}.`);
    return undefined;
  }
}

/** What kind of JSON value it is, for messages. */
export function kindOf(value: Json): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return typeof value === "string" ? "a text" : `the ${typeof value} ${value}`;
}

function shown(value: Json): string {
  return typeof value === "string" ? `the text ${JSON.stringify(value)}` : kindOf(value);
}

function choice(allowed: readonly string[]): string {
  return allowed.length === 1 ? String(allowed[0]) : `one of ${allowed.join(", ")}`;
}

function meant(text: string, allowed: readonly string[]): string {
  const name = allowed.length > 1 ? closest(text, allowed) : undefined;
  return name === undefined ? "" : ` Did you mean ${name}?`;
}
