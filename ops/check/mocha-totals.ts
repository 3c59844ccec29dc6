/**
 * A mocha reporter: shows what the `spec` reporter shows, and writes the totals as JSON to the file that is named by the reporter option
 * `totals`, so that the check program counts what ran and never guesses from text.
 */
import { writeFileSync } from "node:fs";
import Mocha from "mocha";
import type { TestTotals } from "./step.ts";

/** Loaded by mocha, by path. */
export default class MochaTotals extends Mocha.reporters.Spec {
  readonly #failures: string[] = [];

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const path = (options.reporterOptions as { totals?: string } | undefined)?.totals;
    runner.on("fail", (test) => this.#failures.push(test.fullTitle()));
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      const totals: TestTotals = { passed: passes, failed: failures, pending, failures: this.#failures };
      if (path !== undefined) writeFileSync(path, JSON.stringify(totals));
    });
  }
}
