/**
 * Checks the types of the service's source with the TypeScript compiler, where it is installed (it is in a checkout).
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defineTask } from "maestro-conductor";
import { failIfAsked } from "../delivery/asked-to-fail.ts";
import { runCommand } from "../delivery/run-command.ts";

interface Input {
  readonly source: string;
  readonly failAt?: string;
}

/** `type-check`: whether the types were checked; an error in them fails the task. */
export const typeCheck = defineTask<Input, { checked: boolean }>({
  name: "type-check",
  startToCloseMs: 60_000,
  async run({ source, failAt }, { signal, log }) {
    failIfAsked(failAt, "type-check");
    const compiler = findCompiler();
    if (compiler === undefined) {
      log.warn("TypeScript is not installed here: the types were not checked");
      return { checked: false };
    }
    await runCommand({ program: process.execPath, args: [compiler, "-p", source], cwd: source, signal });
    return { checked: true };
  },
});

function findCompiler(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  } catch {
    // Not installed.
    return undefined;
  }
}
