/**
 * Which version of the program this is.
 */
import { createRequire } from "node:module";

/** The version in the package's manifest. */
export function programVersion(): string {
  const manifest = createRequire(import.meta.url)("maestro-conductor/package.json") as { readonly version: string };
  return manifest.version;
}
