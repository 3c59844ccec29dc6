/** `document`: what the workflow is called. */
import type { Fields } from "../fields.ts";
import type { Violations } from "../violations.ts";

/** Names of a workflow. */
export interface Header {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  /** Empty if the document gives none. */
  readonly title: string;
  /** Empty if the document gives none. */
  readonly summary: string;
}

/** Label of RFC 1123, in any case. */
const LABEL = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;
const NUMBER = String.raw`(?:0|[1-9]\d*)`;
const PRERELEASE = String.raw`(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)`;
const SEMVER = new RegExp(
  String.raw`^${NUMBER}\.${NUMBER}\.${NUMBER}(?:-${PRERELEASE}(?:\.${PRERELEASE})*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$`,
);
const DSL = /^1\.0\.\d+$/;
/** Longest version, in characters. */
const VERSION_LENGTH = 128;

/** The field `document`. */
export function compileHeader(document: Fields, violations: Violations): Header {
  const dsl = document.requiredText("dsl");
  if (dsl !== undefined && !DSL.test(dsl)) violations.add(document.at("dsl"), `version ${dsl} of the language is not supported: write "1.0.3".`);
  const header: Header = {
    namespace: label(document, "namespace", violations),
    name: label(document, "name", violations),
    version: version(document, violations),
    title: document.text("title") ?? "",
    summary: document.text("summary") ?? "",
  };
  document.mapping("tags");
  document.mapping("metadata");
  document.close();
  return header;
}

function label(document: Fields, field: "namespace" | "name", violations: Violations): string {
  const text = document.requiredText(field) ?? "";
  if (document.has(field) && typeof document.json(field) === "string" && !LABEL.test(text)) {
    violations.add(document.at(field), "must have 1 to 63 letters, digits and -, and begin and end with a letter or a digit.");
  }
  return text;
}

function version(document: Fields, violations: Violations): string {
  const value = document.requiredJson("version");
  if (value === undefined) return "";
  if (typeof value === "string" && value.length <= VERSION_LENGTH && SEMVER.test(value)) return value;
  const quote = typeof value === "number" ? ` ${value} was read as a number: quote it.` : "";
  violations.add(document.at("version"), `must be a semantic version, as a text: "1.0.0".${quote}`);
  return "";
}
