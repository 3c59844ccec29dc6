/**
 * JSON Schemas (draft 2020-12) by ajv. Unknown keywords are annotations, as the standard says, and so is `format`. References reach within
 * the schema only: nothing is ever fetched.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { messageOf } from "../../runtime/errors.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { isJsonObject, type Json } from "../json.ts";
import type { SchemaCheck } from "./model.ts";

/** Why a schema can't be used. */
class SchemaFault extends Error {
  override readonly name = "SchemaFault";
}

/** Longest list of allowed values in a message, in characters. */
const ALLOWED_LENGTH = 200;

/** Compiles the schemas of one document; the same schema is compiled once. */
export class SchemaCompiler {
  readonly #compiled = new Map<string, SchemaCheck>();
  #ajv: Ajv2020 | undefined;
  #bytes = 0;

  /** @throws SchemaFault it is not a schema, refers to something outside of itself, or exceeds a bound on its size or on all of them. */
  compile(schema: Json): SchemaCheck {
    if (!isJsonObject(schema) && typeof schema !== "boolean") throw new SchemaFault("a JSON Schema is a mapping, or true or false");
    const text = JSON.stringify(schema);
    const known = this.#compiled.get(text);
    if (known !== undefined) return known;
    this.#bound(Buffer.byteLength(text));
    const validate = this.#validator(schema);
    // the answer of an asynchronous check is a promise, which would count as "valid"
    if ("$async" in validate) throw new SchemaFault("$async is not supported: remove it");
    const check = new AjvCheck(validate);
    this.#compiled.set(text, check);
    return check;
  }

  /** Compiling is slow enough for a document of schemas to hold up the node. */
  #bound(bytes: number): void {
    if (bytes > LIMITS.schemaBytes) throw new SchemaFault(`the schema has ${bytes} bytes; at most ${LIMITS.schemaBytes} are taken: divide it`);
    this.#bytes += bytes;
    if (this.#compiled.size < LIMITS.documentSchemas && this.#bytes <= LIMITS.documentSchemaBytes) return;
    throw new SchemaFault(
      `the document has more than ${LIMITS.documentSchemas} different schemas, or ${LIMITS.documentSchemaBytes} bytes of them: divide it`,
    );
  }

  #validator(schema: boolean | { readonly [key: string]: Json }): ValidateFunction {
    this.#ajv ??= new Ajv2020({ strict: false, allErrors: true, validateFormats: false, logger: false, addUsedSchema: false });
    try {
      return this.#ajv.compile(schema);
    } catch (error) {
      throw new SchemaFault(adviceFor(messageOf(error)), { cause: error });
    }
  }
}

class AjvCheck implements SchemaCheck {
  readonly #validate: ValidateFunction;

  constructor(validate: ValidateFunction) {
    this.#validate = validate;
  }

  check(value: Json): readonly string[] {
    if (this.#validate(value)) return [];
    const errors = this.#validate.errors ?? [];
    const problems = errors.slice(0, LIMITS.schemaProblems).map(sentence);
    const more = errors.length - problems.length;
    return more > 0 ? [...problems, `and ${more} more`] : problems;
  }
}

function sentence(error: ErrorObject): string {
  const place = error.instancePath === "" ? "the value" : error.instancePath;
  return `${place} ${error.message ?? `breaks the rule ${error.keyword}`}${factOf(error)}`;
}

/** The fact that ajv's message leaves out. */
function factOf(error: ErrorObject): string {
  const { additionalProperty, unevaluatedProperty, allowedValues, allowedValue } = error.params;
  const extra = additionalProperty ?? unevaluatedProperty;
  if (typeof extra === "string") return `: ${JSON.stringify(extra)}`;
  const allowed = allowedValues ?? allowedValue;
  return allowed === undefined ? "" : `: ${JSON.stringify(allowed).slice(0, ALLOWED_LENGTH)}`;
}

function adviceFor(reason: string): string {
  if (/can't resolve reference/.test(reason)) return `${reason}: a schema can refer only to itself, with #/$defs/...`;
  if (/no schema with key or ref/.test(reason)) return `${reason}: only draft 2020-12 is supported; remove $schema`;
  return reason;
}
