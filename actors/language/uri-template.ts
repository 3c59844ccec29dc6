/**
 * URIs with variables: `https://host/pet/{petId}`, the part of RFC 6570 that the specification has (simple string expansion). Values come
 * from the top-level fields of the task's input and are percent-encoded; a missing one becomes the empty text. Pure.
 */
import { isJsonObject, type Json } from "../json.ts";
import { type Expression, ExpressionFault, type Scope, type Template } from "./expression.ts";

const VARIABLE = /\{([^{}]*)\}/g;
/** What encodeURIComponent leaves and RFC 3986 reserves. */
const RESERVED_LEFT = /[!'()*]/g;
/** A path segment that would climb out of the path, and which no encoding protects. */
const DOT_SEGMENT = /^\.{1,2}$/;

/** A compiled URI template. */
export class UriTemplate implements Template {
  readonly constant: Json | undefined;
  readonly expressions: readonly Expression[] = [];
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
    this.constant = text.includes("{") ? undefined : text;
  }

  /** The template, or why the text is none. */
  static parse(text: string): UriTemplate | { readonly fault: string } {
    const plain = text.replace(VARIABLE, "x");
    if (/[{}]/.test(plain)) return { fault: "has a brace without its partner: write variables as {name}." };
    const modified = [...text.matchAll(VARIABLE)].find(([, name]) => name === undefined || /^$|^[+#./;?&=,!@|]|[*:,]/.test(name));
    if (modified !== undefined) return { fault: `${modified[0]} is not supported: only the plain form {name} is.` };
    if (!isHttp(plain)) return { fault: "must be an absolute URI that begins with http:// or https://." };
    return new UriTemplate(text);
  }

  evaluate(scope: Scope): Json {
    return this.#text.replace(VARIABLE, (_, name: string) => this.#expand(name, scope.data));
  }

  #expand(name: string, data: Json): string {
    const value = isJsonObject(data) && Object.hasOwn(data, name) ? data[name] : null;
    if (value === null || value === undefined) return "";
    if (typeof value === "object") throw new ExpressionFault(this.#text, `{${name}} must be a text, a number or a truth value`);
    const text = String(value);
    if (DOT_SEGMENT.test(text)) throw new ExpressionFault(this.#text, `{${name}} is ${text}, which would change the path`);
    return encode(text);
  }
}

function encode(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed());
  return encoded.replace(RESERVED_LEFT, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A URI that is given by an expression. */
export class UriExpression implements Template {
  readonly constant: Json | undefined = undefined;
  readonly expressions: readonly Expression[];
  readonly #template: Template;

  constructor(template: Template) {
    this.#template = template;
    this.expressions = template.expressions;
  }

  evaluate(scope: Scope): Json {
    const uri = this.#template.evaluate(scope);
    if (typeof uri === "string" && isHttp(uri)) return uri;
    const source = this.expressions.map((expression) => expression.source).join(" ");
    throw new ExpressionFault(source, `gave ${JSON.stringify(uri).slice(0, 100)}, which is not an http:// or https:// URI,`);
  }
}

function isHttp(uri: string): boolean {
  return /^https?:\/\//i.test(uri) && URL.canParse(uri);
}
