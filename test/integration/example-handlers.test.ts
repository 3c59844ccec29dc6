import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DemoSite, SERVICE_SOURCE } from "../../ops/cli/demo/demo-site.ts";
import { compile, discardBuild } from "../../ops/examples/handlers/compile.ts";
import { discardPackage, packageBuild } from "../../ops/examples/handlers/package.ts";
import { startVersion, stopVersion } from "../../ops/examples/handlers/start-version.ts";
import { switchBack, switchOver, verify } from "../../ops/examples/handlers/traffic.ts";
import { systemClock } from "../../runtime/clock.ts";
import type { TaskContext } from "../../runtime/workers/define-task.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const attempt = (idempotencyKey: string): TaskContext => ({
  signal: new AbortController().signal,
  attempt: 1,
  idempotencyKey,
  runId: "r",
  task: "/do/0/t",
  traceParent: "",
  log: silent,
  heartbeat: () => undefined,
});

/** A task may be executed again after its work was done and before its result was written down: each handler must bear that. */
describe("the handlers of the example, executed twice", function () {
  this.timeout(30_000);
  let site: string;
  beforeEach(() => {
    site = mkdtempSync(join(tmpdir(), "maestro-site-"));
  });
  afterEach(async () => {
    await new DemoSite(site, systemClock(), "test").close();
    rmSync(site, { recursive: true, force: true });
  });

  const build = async () => compile.run({ source: SERVICE_SOURCE, folder: join(site, "build"), version: "1.1.0" }, attempt("k1"));
  const pack = async (folder: string) => packageBuild.run({ folder, archive: join(site, "a.tgz") }, attempt("k2"));

  it("compile leaves nothing of an earlier attempt", async () => {
    mkdirSync(join(site, "build"));
    writeFileSync(join(site, "build", "left-over.js"), "");
    const built = await build();
    assert.equal(existsSync(join(built.folder, "left-over.js")), false);
    assert.doesNotMatch(readFileSync(join(built.folder, "src", "main.js"), "utf8"), /\.ts"/);
    await discardBuild.run({ output: built }, attempt("k3"));
    assert.equal(existsSync(built.folder), false);
  });

  it("package gives the same archive, and its undo may come twice", async () => {
    const built = await build();
    const [first, second] = [await pack(built.folder), await pack(built.folder)];
    assert.equal(first.sha256, second.sha256);
    for (let time = 0; time < 2; time++) await discardPackage.run({ output: first }, attempt("k3"));
    assert.equal(existsSync(first.archive), false);
  });

  it("start finds the process of its first attempt, and refuses the one of another run", async () => {
    const { archive, sha256 } = await pack((await build()).folder);
    const input = { archive, sha256, release: join(site, "release-1.1.0"), version: "1.1.0" };
    const first = await startVersion.run(input, attempt("run-1"));
    const second = await startVersion.run(input, attempt("run-1"));
    assert.equal(second.pid, first.pid);
    await assert.rejects(async () => startVersion.run(input, attempt("run-2")), /runs already, from another run/);
    assert.deepEqual(await stopVersion.run({ output: first }, attempt("k4")), { stopped: true });
    assert.deepEqual(await stopVersion.run({ output: first }, attempt("k4")), { stopped: false });
  });

  it("start refuses a package that was changed after it was packed", async () => {
    const { archive, sha256 } = await pack((await build()).folder);
    writeFileSync(archive, "something else");
    const input = { archive, sha256, release: join(site, "release-1.1.0"), version: "1.1.0" };
    await assert.rejects(async () => startVersion.run(input, attempt("run-1")), /was changed after it was packed/);
  });

  it("switch remembers what served before its first attempt", async () => {
    const url = await new DemoSite(site, systemClock(), "test").open("1.0.0");
    const { archive, sha256 } = await pack((await build()).folder);
    const input = { archive, sha256, release: join(site, "release-1.1.0"), version: "1.1.0" };
    const { version, port, release } = await startVersion.run(input, attempt("run-1"));
    for (let time = 0; time < 2; time++) {
      const switched = await switchOver.run({ site, version, port, release }, attempt("k5"));
      assert.equal(switched.from?.version, "1.0.0");
    }
    assert.match((await verify.run({ site, version: "1.1.0" }, attempt("k6"))).url, new RegExp(url));
    const back = await switchOver.run({ site, version, port, release }, attempt("k5"));
    assert.deepEqual(await switchBack.run({ output: back }, attempt("k7")), { serving: "1.0.0" });
    await assert.rejects(async () => verify.run({ site, version: "1.1.0" }, attempt("k8")), /version 1\.0\.0 answered/);
  });
});
