/**
 * The command `demo`.
 */
import type { Command } from "commander";
import type { CliContext } from "./cli-context.ts";
import { fieldInvalid } from "./json-argument.ts";

/** What `--fail-at` takes: steps of the pipeline, and its groups by the step of theirs that fails. */
const STEPS: Readonly<Record<string, string>> = {
  "type-check": "type-check",
  compile: "compile",
  build: "compile",
  "tariff-tests": "tariff-tests",
  "api-tests": "api-tests",
  test: "api-tests",
  package: "package",
  start: "start",
  health: "health",
  switch: "switch",
  verify: "verify",
  deploy: "verify",
};

/** Adds the command to a program. */
export function addDemoCommand(program: Command, context: CliContext): void {
  program
    .command("demo")
    .description("Release a new version of a small service with a node of its own, and show what happens.")
    .option("--fail-at <step>", `fail at a step, to see the undo (${Object.keys(STEPS).join(", ")})`)
    .option("--keep", "leave everything running until Ctrl-C")
    .action(async (options: { readonly failAt?: string; readonly keep?: true }) => {
      const failAt = options.failAt === undefined ? undefined : { asked: options.failAt, step: stepOf(options.failAt) };
      const { runDemo } = await import("./demo/demo.ts");
      context.exitCode = await runDemo(context, { failAt, keep: options.keep === true });
    });
}

function stepOf(asked: string): string {
  const step = Object.hasOwn(STEPS, asked) ? STEPS[asked] : undefined;
  if (step === undefined) throw fieldInvalid("--fail-at", `must be one of ${Object.keys(STEPS).join(", ")}, not "${asked}"`);
  return step;
}
