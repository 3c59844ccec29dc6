/** The benchmark of clusters, in its short form: it gives all of its figures, and what must be 0 is 0. Times are nobody's test. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { FigureRecord } from "../../ops/bench/report.ts";

const MAIN = fileURLToPath(new URL("../../ops/bench/main.ts", import.meta.url));

describe("npm run bench -- cluster --quick", function () {
  this.timeout(280_000);

  it("kills, restarts and freezes nodes, and finds nothing lost, nothing twice and nothing stale", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", MAIN, "cluster", "--quick", "--json"]);
    const figures = new Map(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as FigureRecord)
        .map((figure) => [figure.name, figure]),
    );
    const expected = [
      "idle node",
      "failover, p99",
      "rolling, client p99",
      "rolling, row p99",
      "stale owner, rows",
      "W1a runs / without",
      "W1a 2 nodes",
    ];
    assert.deepEqual(
      expected.filter((name) => !figures.has(name)),
      [],
    );
    const detail = (name: string, which: string): number => figures.get(name)?.details[which]?.max ?? Number.NaN;
    const zeros = ["failover, p99", "rolling, client p99", "stale owner, rows"].flatMap((name) => [detail(name, "lost"), detail(name, "twice")]);
    assert.deepEqual(zeros, [0, 0, 0, 0, 0, 0]);
    assert.equal(figures.get("stale owner, rows")?.max, 0);
    assert.equal(detail("rolling, client p99", "failed"), 0, "calls failed in a rolling restart");
    assert.ok(detail("failover, p99", "runs") > 0, "the node that was killed had runs");
  });
});
