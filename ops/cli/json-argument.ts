/**
 * Arguments that carry JSON: the text itself, or `@FILE` for what is in a file. Checked here, so that a slip of the keyboard is told without
 * asking a node.
 */
import { readFileSync } from "node:fs";
import { MaestroError, messageOf } from "../../runtime/errors.ts";

/** The JSON text that an argument means. `field` is the option, for the complaint. @throws FIELD_INVALID */
export function jsonArgument(field: string, argument: string): string {
  const text = argument.startsWith("@") ? readText(field, argument.slice(1)) : argument;
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    throw fieldInvalid(field, `is not JSON: ${messageOf(error)}`);
  }
}

/** The text of a file. `field` is the option or argument that names it. @throws FIELD_INVALID */
export function readText(field: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw fieldInvalid(field, `the file can't be read: ${messageOf(error)}`);
  }
}

/** The error for an option or argument that is wrong. */
export function fieldInvalid(field: string, reason: string): MaestroError {
  return new MaestroError("FIELD_INVALID", { facts: { field, reason }, violations: [{ field, description: reason }] });
}
