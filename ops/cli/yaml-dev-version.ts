/**
 * Another version for a workflow document that is being worked on. Versions are immutable, and while somebody edits a document nobody wants to
 * raise its version at every save.
 */
import { isMap, parseDocument } from "yaml";

/** The document with another `document.version`, and otherwise as it was, comments included. */
export function withVersion(text: string, version: string): string {
  const document = parseDocument(text);
  if (!isMap(document.get("document"))) return text;
  document.setIn(["document", "version"], version);
  return document.toString({ lineWidth: 0 });
}
