import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endAll, MaestroProcess, maestro } from "../support/maestro-process.ts";
import { waitUntil } from "../support/wait-until.ts";

describe("the demo", function () {
  this.timeout(90_000);
  let cwd: string;
  before(() => {
    cwd = mkdtempSync(join(tmpdir(), "maestro-demo-"));
  });
  after(() => {
    endAll();
    rmSync(cwd, { recursive: true, force: true });
  });

  const site = (file: string): string => join(cwd, ".maestro", "demo", "site", file);
  const servingVersion = (): string => (JSON.parse(readFileSync(site("current.json"), "utf8")) as { version: string }).version;

  /** Resolves once nobody listens at a URL that the demo printed. */
  async function awaitSilence(stderr: string): Promise<void> {
    const url = /serves at (http:\S+)/.exec(stderr)?.[1];
    assert.ok(url !== undefined, stderr);
    const isSilent = (): Promise<boolean> =>
      fetch(url).then(
        () => false,
        () => true,
      );
    await waitUntil("the front of the demo is gone", isSilent);
  }

  it("can be interrupted in the middle", async () => {
    const demo = new MaestroProcess(["demo"], { cwd });
    await waitUntil("the new version to be started", () => demo.stdout.includes("health started"), 60_000);
    demo.kill("SIGINT");
    const { code, stderr } = await demo.ended();
    assert.equal(code, 130, stderr);
    await awaitSilence(stderr);
  });

  it("builds, tests, packs and releases the service, also after one that was interrupted, and exits with 0", async () => {
    const { code, stdout, stderr } = await maestro(["demo"], { cwd });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stderr, /The run \S+ of an earlier demo goes on/);
    assert.match(stdout, /run \S+ completed/);
    assert.match(stderr, /[1-9]\d* answered by 1\.0\.0, [1-9]\d* answered by 1\.1\.0, 0 failed/);
    assert.equal(servingVersion(), "1.1.0");
    await awaitSilence(stderr);
  });

  it("undoes what was done in reverse order when a step fails, and visitors notice nothing", async () => {
    const { code, stdout, stderr } = await maestro(["demo", "--fail-at", "deploy"], { cwd });
    assert.equal(code, 0, stdout + stderr);
    const undone = [...stdout.matchAll(/undo: (\S+) completed/g)].map((match) => match[1]);
    assert.deepEqual(undone, ["switch-back", "stop-version", "discard-package", "discard-build"]);
    assert.match(stderr, / 0 failed\./);
    assert.match(stderr, /The exit code is 0: the undo is what was to be shown/);
    assert.equal(servingVersion(), "1.0.0");
    for (const left of ["build-1.1.0", "parcel-quotes-1.1.0.tgz", "release-1.1.0"]) assert.equal(existsSync(site(left)), false, left);
    await awaitSilence(stderr);
  });

  it("stops its processes when it is interrupted", async () => {
    const demo = new MaestroProcess(["demo", "--keep"], { cwd });
    await waitUntil("the demo says that everything stays up", () => demo.stderr.includes("Everything stays up"), 60_000);
    demo.kill("SIGINT");
    const { code, stderr } = await demo.ended();
    assert.equal(code, 0, stderr);
    await awaitSilence(stderr);
  });
});
