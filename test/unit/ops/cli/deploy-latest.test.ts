import assert from "node:assert/strict";
import { deployLatest } from "../../../../ops/cli/deploy-latest.ts";
import type { Gateway } from "../../../../ops/cli/gateway-port.ts";
import { MaestroError } from "../../../../runtime/errors.ts";

const document = (greeting: string): string =>
  `# a comment\ndocument:\n  namespace: default\n  name: hello\n  version: 1.0.0\ndo:\n  - set: ${greeting}\n`;
const versionIn = (text: string): string => /version: (\S+)/.exec(text)?.[1] ?? "";

/** A gateway that stores versions of one workflow, as a node does: immutable, and the latest is the one stored last. */
function store(): Pick<Gateway, "deploy" | "workflow"> & { readonly versions: () => string[]; readonly texts: () => string[] } {
  const stored: { id: string; version: string; document: string }[] = [];
  const message = (row: (typeof stored)[number]) => ({ ...row, namespace: "default", name: "hello", title: "", summary: "", createdAt: undefined });
  return {
    versions: () => stored.map((row) => row.version),
    texts: () => stored.map((row) => row.document),
    deploy: async (text, isDryRun) => {
      const row = { id: `id-${stored.length}`, version: versionIn(text), document: text };
      const found = stored.find((candidate) => candidate.version === row.version);
      if (isDryRun) return { workflow: message(row), created: false };
      if (found !== undefined && found.document !== text) throw new MaestroError("WORKFLOW_IN_CONFLICT");
      if (found === undefined) stored.push(row);
      return { workflow: message(found ?? row), created: found === undefined };
    },
    workflow: async () => message(stored.at(-1) ?? { id: "", version: "", document: "" }),
  };
}

describe("deploying what is being edited", () => {
  it("deploys a new version as it is", async () => {
    const gateway = store();
    const { created } = await deployLatest(gateway as unknown as Gateway, document("a"), 1);
    assert.equal(created, true);
    assert.deepEqual(gateway.versions(), ["1.0.0"]);
  });

  it("does nothing if the same text is the latest", async () => {
    const gateway = store();
    await deployLatest(gateway as unknown as Gateway, document("a"), 1);
    const { created } = await deployLatest(gateway as unknown as Gateway, document("a"), 2);
    assert.deepEqual([created, gateway.versions()], [false, ["1.0.0"]]);
  });

  it("gives a changed text a version of its own, comments included", async () => {
    const gateway = store();
    await deployLatest(gateway as unknown as Gateway, document("a"), 1);
    await deployLatest(gateway as unknown as Gateway, document("b"), 2);
    assert.deepEqual(gateway.versions(), ["1.0.0", "1.0.0-dev.2"]);
    assert.match(gateway.texts()[1] ?? "", /^# a comment\n/);
  });

  it("makes an older text the latest again when an edit is taken back", async () => {
    const gateway = store();
    for (const [nowMs, greeting] of ["a", "b", "a"].entries()) await deployLatest(gateway as unknown as Gateway, document(greeting), nowMs);
    assert.deepEqual(gateway.versions(), ["1.0.0", "1.0.0-dev.1", "1.0.0-dev.2"]);
    assert.match(gateway.texts()[2] ?? "", /set: a/);
  });

  it("does not store another version when it meets its own at the next start", async () => {
    const gateway = store();
    for (const [nowMs, greeting] of ["a", "b", "b", "b"].entries()) await deployLatest(gateway as unknown as Gateway, document(greeting), nowMs);
    assert.deepEqual(gateway.versions(), ["1.0.0", "1.0.0-dev.1"]);
  });

  it("passes on what is wrong with a document", async () => {
    const refuse = () => Promise.reject(new MaestroError("DOCUMENT_INVALID"));
    await assert.rejects(deployLatest({ deploy: refuse } as unknown as Gateway, document("a"), 1), { code: "DOCUMENT_INVALID" });
  });
});
