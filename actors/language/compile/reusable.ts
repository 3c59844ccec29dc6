/** The reusable parts of a document (`use`): errors, retries and timeouts, referred to by name. The other parts are refused. */
import type { Json } from "../../json.ts";
import type { Fields } from "../fields.ts";
import { hint } from "../suggest.ts";
import type { Violations } from "../violations.ts";

/** A value and its place: where it is used, or under `use` if it was named. */
export interface Placed {
  readonly value: Json;
  readonly pointer: string;
}

/**
 * What reusable parts of one section were compiled to: each once for the variables that it can see, however often it is used, so that the
 * work is bounded by the size of the document.
 */
export class CompiledParts<T> {
  readonly #parts = new Map<string, T>();

  /** The compiled part; compiled now if it has not been, for these variables. */
  get(placed: Placed, variables: readonly string[], compile: (placed: Placed) => T): T {
    const key = `${placed.pointer} ${variables.join(" ")}`;
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    const part = compile(placed);
    this.#parts.set(key, part);
    return part;
  }
}

/** The sections that are supported. */
export type ReusableSection = "errors" | "retries" | "timeouts";

const UNSUPPORTED = ["authentications", "extensions", "secrets", "catalogs"];

/** The reusable parts of one document. */
export class Reusable {
  readonly #violations: Violations;
  readonly #sections: Readonly<Record<ReusableSection, Fields | undefined>>;
  readonly #used = new Set<string>();

  /** `use` is the field of that name of the document. */
  constructor(use: Fields | undefined, violations: Violations) {
    this.#violations = violations;
    this.#sections = { errors: use?.mapping("errors"), retries: use?.mapping("retries"), timeouts: use?.mapping("timeouts") };
    for (const name of UNSUPPORTED) use?.unsupported(name);
    use?.unsupported("functions", "Register a handler and call it as NAME@default.");
    use?.close();
  }

  /** What a field that holds a definition or the name of one stands for. An unknown name is a violation, and gives undefined. */
  resolve(section: ReusableSection, value: Json, pointer: string): Placed | undefined {
    if (typeof value !== "string") return { value, pointer };
    const fields = this.#sections[section];
    const found = fields?.has(value) === true ? fields.source[value] : undefined;
    if (fields === undefined || found === undefined) {
      this.#violations.add(pointer, `use.${section} has no ${value}.${hint(value, Object.keys(fields?.source ?? {}))}`);
      return undefined;
    }
    const place = fields.at(value);
    this.#used.add(place);
    return { value: found, pointer: place };
  }

  /** The definitions of a section that nothing has referred to. They are checked all the same. */
  unused(section: ReusableSection): readonly Placed[] {
    const fields = this.#sections[section];
    return Object.entries(fields?.source ?? {})
      .map(([name, value]) => ({ value, pointer: (fields as Fields).at(name) }))
      .filter(({ pointer }) => !this.#used.has(pointer));
  }
}
