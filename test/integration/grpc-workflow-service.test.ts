import assert from "node:assert/strict";
import { isUuid } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { documentOf, type GatewayWorld, openGateway } from "../support/gateway-world.ts";

describe("gRPC workflow service", () => {
  let world: GatewayWorld;

  beforeEach(async () => {
    world = await openGateway();
  });

  afterEach(() => world.close());

  it("stores a document once per version", async () => {
    const text = documentOf("build", "1.0.0", "ci", "Builds.");
    const first = await world.client.deploy(text);
    assert.equal(first.created, true);
    const { id, namespace, name, version, summary, document } = first.workflow ?? {};
    assert.equal(isUuid(id ?? ""), true);
    assert.deepEqual([namespace, name, version, summary, document], ["ci", "build", "1.0.0", "Builds.", text]);
    assert.deepEqual(await world.client.deploy(text), { workflow: first.workflow, created: false });
    await assert.rejects(world.client.deploy(documentOf("build", "1.0.0", "ci", "Other.")), {
      code: "WORKFLOW_IN_CONFLICT",
      facts: { workflow: "ci/build:1.0.0" },
    });
  });

  it("rehearses a deployment without storing anything", async () => {
    const { workflow, created } = await world.client.deploy(documentOf("new", "1.0.0"), true);
    assert.deepEqual([workflow?.name, workflow?.id, created], ["new", "", true]);
    await assert.rejects(world.client.getWorkflow({ name: "new" }), { code: "WORKFLOW_NOT_FOUND", facts: { workflow: "default/new" } });
    assert.equal((await world.client.deploy(documentOf("echo", "1.0.0"), true)).created, false);
    await assert.rejects(world.client.deploy(documentOf("echo", "1.0.0", "default", "Other."), true), { code: "WORKFLOW_IN_CONFLICT" });
  });

  it("names every mistake of a document", async () => {
    await assert.rejects(world.client.deploy("do: []"), {
      code: "DOCUMENT_INVALID",
      violations: [
        { field: "/do (line 3, column 1)", description: "is required." },
        { field: "/document/dsl (line 1, column 1)", description: "is required." },
      ],
    });
    await assert.rejects(world.client.deploy(""), { code: "FIELD_INVALID", facts: { field: "document", reason: "is required." } });
    await assert.rejects(world.client.deploy("x".repeat(LIMITS.documentBytes + 1)), {
      code: "MESSAGE_TOO_LARGE",
      facts: { field: "document", bytes: `${LIMITS.documentBytes + 1}`, limit: `${LIMITS.documentBytes}` },
    });
  });

  it("answers a version, and the latest without one", async () => {
    await world.client.deploy(documentOf("echo", "2.0.0"));
    assert.equal((await world.client.getWorkflow({ name: "echo" })).version, "2.0.0");
    assert.equal((await world.client.getWorkflow({ name: "echo", version: "1.0.0" })).document, documentOf("echo", "1.0.0"));
    await assert.rejects(world.client.getWorkflow({ name: "echo", version: "3.0.0" }), { facts: { workflow: "default/echo:3.0.0" } });
    await assert.rejects(world.client.getWorkflow({ name: "" }), { violations: [{ field: "name", description: "is required." }] });
  });

  it("lists versions page by page without their texts", async () => {
    for (let index = 0; index < 5; index += 1) await world.client.deploy(documentOf(`w${index}`, "1.0.0", "many"));
    const names: string[] = [];
    let pageToken = "";
    do {
      const page = await world.client.listWorkflows({ namespace: "many", pageSize: 2, pageToken });
      assert.equal(
        page.workflows.every(({ document }) => document === ""),
        true,
      );
      names.push(...page.workflows.map(({ name }) => name));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    assert.deepEqual(names, ["w4", "w3", "w2", "w1", "w0"]);
    assert.equal((await world.client.listWorkflows({ name: "echo" })).workflows.length, 1);
    await assert.rejects(world.client.listWorkflows({ pageSize: LIMITS.pageRows + 1 }), { code: "FIELD_INVALID" });
  });

  it("takes a version out of use, and starts nothing of it from then on", async () => {
    await world.client.deploy(documentOf("echo", "2.0.0"));
    const { runId } = await world.client.start({ workflow: "echo" });
    assert.equal(await world.client.deleteWorkflow({ name: "echo", version: "2.0.0" }), 1);
    const later = await world.client.start({ workflow: "echo" });
    const versions = await Promise.all([runId, later.runId].map(async (id) => (await world.client.getRun(id)).version));
    assert.deepEqual(versions, ["2.0.0", "1.0.0"]);
    assert.equal(await world.client.deleteWorkflow({ name: "echo" }), 1);
    await assert.rejects(world.client.start({ workflow: "echo" }), { code: "WORKFLOW_NOT_FOUND" });
    await assert.rejects(world.client.deleteWorkflow({ name: "echo" }), { code: "WORKFLOW_NOT_FOUND" });
  });
});
