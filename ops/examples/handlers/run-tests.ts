/**
 * Runs one suite of the service's tests against the build.
 */
import { join } from "node:path";
import { defineTask, TaskError } from "maestro-conductor";
import { failIfAsked } from "../delivery/asked-to-fail.ts";
import { runCommand } from "../delivery/run-command.ts";

interface Input {
  readonly folder: string;
  readonly suite: string;
  readonly failAt?: string;
}

/** `run-tests`: how many passed; one that fails, fails the task. */
export const runTests = defineTask<Input, { suite: string; passed: number }>({
  name: "run-tests",
  startToCloseMs: 60_000,
  async run({ folder, suite, failAt }, { signal }) {
    failIfAsked(failAt, `${suite}-tests`);
    const args = ["--test", "--test-reporter=tap", join("test", `${suite}.test.js`)];
    // A test run inside another one would talk to it instead of to us.
    const output = await runCommand({ program: process.execPath, args, cwd: folder, signal, env: { NODE_TEST_CONTEXT: undefined } });
    const passed = Number(/^# pass (\d+)$/m.exec(output)?.[1] ?? 0);
    if (passed === 0) throw new TaskError(`the suite ${suite} has no tests`, { retryable: false });
    return { suite, passed };
  },
});
