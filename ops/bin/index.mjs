/**
 * What `import ... from "maestro-conductor"` gets: the source in a checkout, the compiled code in the published package.
 */
import { existsSync } from "node:fs";

const source = new URL("../../actors/index.ts", import.meta.url);
const compiled = new URL("../../dist/actors/index.js", import.meta.url);

export const { defineTask, TaskError } = await import((existsSync(source) ? source : compiled).href);
