import assert from "node:assert/strict";
import { WorkflowDirectory } from "../../../gateway/service/workflow-directory.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import type { DocumentRecord, DocumentStore } from "../../../runtime/storage/documents.ts";
import { MemoryDocuments } from "../../../runtime/storage/memory-documents.ts";
import { MemoryStore } from "../../../runtime/storage/memory-store.ts";
import { documentOf, gatewayParts } from "../../support/gateway-world.ts";

/** Counts look-ups, and can hold one open between reading the store and answering. */
class SlowDocuments extends MemoryDocuments {
  finds = 0;
  gate: Promise<void> = Promise.resolve();
  failure: Error | undefined;

  override async find(namespace: string, name: string, version?: string): Promise<DocumentRecord | undefined> {
    this.finds += 1;
    if (this.failure !== undefined) throw this.failure;
    const found = await super.find(namespace, name, version);
    await this.gate;
    return found;
  }
}

function slowDocuments(): SlowDocuments {
  return new SlowDocuments(new MemoryStore(systemClock()));
}

async function put(documents: DocumentStore, version: string, name = "w"): Promise<void> {
  await documents.put({ id: `${name} ${version}`, namespace: "default", name, version, title: "", summary: "", text: version, createdAtMs: 0 });
}

describe("workflow directory", () => {
  it("asks the store once for a name, also when many ask at the same time", async () => {
    const documents = slowDocuments();
    await put(documents, "1.0.0");
    const directory = new WorkflowDirectory(documents);
    const answers = await Promise.all(Array.from({ length: 10 }, () => directory.resolve("default", "w", "")));
    assert.deepEqual(new Set(answers.map(({ id }) => id)), new Set(["w 1.0.0"]));
    await directory.resolve("default", "w", "");
    assert.equal(documents.finds, 1);
  });

  it("does not remember what is missing or could not be asked", async () => {
    const documents = slowDocuments();
    const directory = new WorkflowDirectory(documents);
    await assert.rejects(directory.resolve("default", "w", "1.0.0"), { code: "WORKFLOW_NOT_FOUND", facts: { workflow: "default/w:1.0.0" } });
    documents.failure = new Error("no connection");
    await assert.rejects(directory.resolve("default", "w", "1.0.0"), /no connection/);
    documents.failure = undefined;
    await put(documents, "1.0.0");
    assert.equal((await directory.resolve("default", "w", "1.0.0")).version, "1.0.0");
  });

  it("never answers an older version than the last acknowledged deployment, also after a slow look-up", async () => {
    const documents = slowDocuments();
    const { workflows, directory } = gatewayParts(documents);
    await workflows.deploy(documentOf("w", "1.0.0"), false);
    const gate = Promise.withResolvers<void>();
    documents.gate = gate.promise;
    const asked = directory.resolve("default", "w", "");
    await workflows.deploy(documentOf("w", "2.0.0"), false);
    documents.gate = Promise.resolve();
    assert.equal((await directory.resolve("default", "w", "")).version, "2.0.0");
    gate.resolve();
    assert.equal((await asked).version, "1.0.0");
    assert.equal((await directory.resolve("default", "w", "")).version, "2.0.0");
  });

  it("never answers a version that was taken out of use, but still knows its name", async () => {
    const { workflows, directory } = gatewayParts();
    const { record } = await workflows.deploy(documentOf("w", "1.0.0"), false);
    await directory.resolve("default", "w", "1.0.0");
    await workflows.remove({ namespace: "", name: "w", version: "1.0.0" });
    await assert.rejects(directory.resolve("default", "w", "1.0.0"), { code: "WORKFLOW_NOT_FOUND" });
    assert.deepEqual(await directory.identify(record.id), { id: record.id, namespace: "default", name: "w", version: "1.0.0" });
    assert.equal(await directory.identify("unknown"), undefined);
  });

  it("forgets the names even if the outcome of a deployment is not known", async () => {
    const documents = slowDocuments();
    const { workflows, directory } = gatewayParts(documents);
    await workflows.deploy(documentOf("w", "1.0.0"), false);
    await directory.resolve("default", "w", "");
    const put = documents.put.bind(documents);
    documents.put = async (record) => {
      await put(record);
      throw new Error("connection lost after the commit");
    };
    await assert.rejects(workflows.deploy(documentOf("w", "2.0.0"), false), /connection lost/);
    assert.equal((await directory.resolve("default", "w", "")).version, "2.0.0");
  });

  it("keeps a bounded number of names", async () => {
    const documents = slowDocuments();
    documents.find = async (namespace, name) => {
      documents.finds += 1;
      return { id: name, namespace, name, version: "1.0.0", title: "", summary: "", text: "", createdAtMs: 0 };
    };
    const directory = new WorkflowDirectory(documents);
    for (let index = 0; index <= LIMITS.directoryEntries; index += 1) await directory.resolve("default", `w${index}`, "1.0.0");
    await directory.resolve("default", `w${LIMITS.directoryEntries}`, "1.0.0");
    assert.equal(documents.finds, LIMITS.directoryEntries + 1);
    await directory.resolve("default", "w0", "1.0.0");
    assert.equal(documents.finds, LIMITS.directoryEntries + 2);
  });
});
