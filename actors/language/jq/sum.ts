/**
 * The sum of many values, as `add` gives it. Runs of strings and of arrays are gathered and joined once, so that a sum of n of them takes
 * time in proportion to n and not to its square.
 */
import type { Json } from "../../json.ts";
import { add } from "./arithmetic.ts";
import type { Machine } from "./machine.ts";
import { isArray } from "./ordering.ts";

/** A sum under way. It begins as null, which adds nothing. */
export class Sum {
  readonly #machine: Machine;
  #total: Json = null;
  /** What has been gathered on top of a total of null: strings, or the items of arrays. */
  #gathered: { readonly kind: "texts"; readonly texts: string[] } | { readonly kind: "items"; readonly items: Json[] } | undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Adds a value. Throws JqFault if the types don't fit. */
  add(value: Json): void {
    if (typeof value === "string" && this.#gathersTexts()) this.#addText(value);
    else if (isArray(value) && this.#gathersItems()) this.#addItems(value);
    else {
      this.#total = add(this.#machine, this.value, value);
      this.#gathered = undefined;
    }
  }

  /** The sum so far. */
  get value(): Json {
    if (this.#gathered === undefined) return this.#total;
    return this.#gathered.kind === "texts" ? this.#gathered.texts.join("") : [...this.#gathered.items];
  }

  #gathersTexts(): boolean {
    return this.#total === null && this.#gathered?.kind !== "items";
  }

  #gathersItems(): boolean {
    return this.#total === null && this.#gathered?.kind !== "texts";
  }

  #addText(text: string): void {
    this.#machine.chargeText(text.length);
    if (this.#gathered?.kind === "texts") this.#gathered.texts.push(text);
    else this.#gathered = { kind: "texts", texts: [text] };
  }

  #addItems(items: readonly Json[]): void {
    this.#machine.charge(1 + items.length);
    if (this.#gathered?.kind !== "items") this.#gathered = { kind: "items", items: [...items] };
    else for (const item of items) this.#gathered.items.push(item);
  }
}
