import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { endAll, MaestroProcess } from "../support/maestro-process.ts";
import { waitUntil } from "../support/wait-until.ts";

const greet = (greeting: string): string => `document: { dsl: 1.0.3, namespace: default, name: greet, version: 1.0.0 }
do:
  - greet:
      set: { greeting: ${greeting} }
`;

describe("maestro dev", function () {
  this.timeout(60_000);
  let cwd: string;
  let dev: MaestroProcess;
  let client: MaestroClient;
  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), "maestro-dev-"));
    mkdirSync(join(cwd, "flows"));
    writeFileSync(join(cwd, "flows", "greet.yaml"), greet("one"));
    writeFileSync(join(cwd, "flows", "package.json"), "{}");
    dev = new MaestroProcess(["dev", "flows", "--grpc-port", "0", "--ops-port", "0", "--threads", "1"], { cwd });
    client = connect(await dev.ready());
  });
  after(async () => {
    client.close();
    dev.kill("SIGINT");
    const { code } = await dev.ended();
    endAll();
    rmSync(cwd, { recursive: true, force: true });
    assert.equal(code, 0);
  });

  async function awaitGreeting(greeting: string): Promise<void> {
    await waitUntil(`a run says "${greeting}"`, async () => {
      const { output } = await client.execute({ workflow: "greet" });
      return output === JSON.stringify({ greeting });
    });
  }

  it("deploys the workflows of the folder, and again when one is saved", async () => {
    await awaitGreeting("one");
    writeFileSync(join(cwd, "flows", "greet.yaml"), greet("two"));
    await awaitGreeting("two");
    writeFileSync(join(cwd, "flows", "greet.yaml"), greet("one"));
    await awaitGreeting("one");
  });

  it("says what is wrong with a faulty document and goes on", async () => {
    writeFileSync(join(cwd, "flows", "faulty.yaml"), greet("x").replace("set:", "sett:"));
    await waitUntil("the complaint about the document", () => /faulty\.yaml:\nDOCUMENT_INVALID/.test(dev.stderr));
    writeFileSync(join(cwd, "flows", "greet.yaml"), greet("three"));
    await awaitGreeting("three");
  });

  it("refuses to do only a part of what it is for, and says what does", async () => {
    const engine = new MaestroProcess(["dev", "flows", "--roles", "engine", "--nats", "nats://127.0.0.1:1"], { cwd });
    assert.equal((await engine.ended()).code, 2);
    assert.match(engine.stderr, /^CONFIG_INVALID .*--roles must be left out of `maestro dev`.*`maestro start`/);
  });

  it("allows the shell", async () => {
    const shell =
      "document: { dsl: 1.0.3, namespace: default, name: sh, version: 1.0.0 }\ndo:\n  - say:\n      run: { shell: { command: echo hi } }\n";
    writeFileSync(join(cwd, "flows", "shell.yaml"), shell);
    await waitUntil("the workflow is deployed", () => dev.stderr.includes("default/sh 1.0.0 deployed"));
    const { output } = await client.execute({ workflow: "sh" });
    assert.match(output, /hi/);
  });
});
