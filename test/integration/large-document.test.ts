/** Documents that are read in threads of their own. */
import assert from "node:assert/strict";
import { YamlThreads } from "../../actors/language/yaml-threads.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { compileText, HEAD, outline, plain, violationsOf } from "../support/compile-document.ts";
import { nextTurn } from "../support/next-turn.ts";

/** A document with many tasks; `more` is its last. */
function documentOf(tasks: number, more = ""): string {
  const lines = Array.from(
    { length: tasks },
    (_, index) => `  - t${index}: { set: { a: "\${ .a.b | tostring }", b: [1, 2, ${index}], "ü": { d: e } } }\n`,
  );
  return `${HEAD}do:\n${lines.join("")}${more}`;
}

describe("a large document", function () {
  this.timeout(60_000);
  const largeDocuments = new YamlThreads();
  after(() => largeDocuments.close());

  it("compiles to what it compiles to at once", async () => {
    const text = documentOf(1_000);
    assert.ok(text.length > LIMITS.inlineDocumentLength);
    const [here, there] = await Promise.all([compileText(text), compileText(text, { largeDocuments })]);
    assert.deepEqual(outline(there), outline(here));
    assert.deepEqual(plain(there.root), plain(here.root));
    assert.deepEqual(there.definition, here.definition);
  });

  it("is refused with the same problems at the same places, in its text and in what it says", async () => {
    for (const more of ["  - bad: { swich: [] }\n  - worse: { wait: 30 }\n", "  - bad: { set: [\n", "  - twice: { set: { a: 1, a: 2 } }\n"]) {
      const text = documentOf(1_000, more);
      assert.deepEqual(await violationsOf(text, { largeDocuments }), await violationsOf(text), more);
    }
  });

  it("lets others have their turns while it is read", async () => {
    let isRead = false;
    const reading = largeDocuments.read(documentOf(9_000)).finally(() => {
      isRead = true;
    });
    let turns = 0;
    for (; !isRead; turns += 1) await nextTurn();
    await reading;
    assert.ok(turns > 100, `${turns} turns`);
  });

  it("is not read if too many wait, nor after the node stopped", async () => {
    const few = new YamlThreads();
    const reads = Array.from({ length: LIMITS.largeDocumentsWaiting }, () => few.read("a: 1"));
    const ends = Promise.allSettled(reads);
    await assert.rejects(few.read("a: 1"), { code: "MAILBOX_FULL" });
    await reads[0];
    await few.close();
    const stopped = (await ends).filter((end) => end.status === "rejected" && (end.reason as { code?: string }).code === "NODE_STOPPING");
    assert.ok(stopped.length > LIMITS.largeDocumentsWaiting / 2);
    await assert.rejects(few.read("a: 1"), { code: "NODE_STOPPING" });
  });
});
