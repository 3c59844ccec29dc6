/** What every document store must do. */
import assert from "node:assert/strict";
import { newUuid } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import type { DocumentRecord } from "../../runtime/storage/documents.ts";
import type { MakeBed, StorageBed } from "./bed.ts";

/** Declares the suite. */
export function documentsConformance(makeBed: MakeBed): void {
  describe("documents", () => {
    const random = systemRandom();
    let bed: StorageBed;

    beforeEach(async function () {
      this.timeout(30_000);
      bed = await makeBed();
    });
    afterEach(() => bed.close());

    const document = (name: string, version: string, text = "do: []", namespace = "shop"): DocumentRecord => {
      return { id: newUuid(random), namespace, name, version, title: `${name}!`, summary: "", text, createdAtMs: 1_700_000_000_123 };
    };
    const put = async (...args: Parameters<typeof document>) => (await bed.documents.put(document(...args))).record;

    it("keeps a version as it was stored", async () => {
      const record = document("order", "1.0.0");
      assert.deepEqual(await bed.documents.put(record), { record, created: true });
      assert.deepEqual(await bed.documents.byId(record.id), record);
      assert.deepEqual(await bed.documents.find("shop", "order", "1.0.0"), record);
      assert.equal(await bed.documents.byId(newUuid(random)), undefined);
      assert.equal(await bed.documents.find("shop", "order", "2.0.0"), undefined);
    });

    it("answers the version that is there when the same text comes again", async () => {
      const record = await put("order", "1.0.0");
      assert.deepEqual(await bed.documents.put(document("order", "1.0.0")), { record, created: false });
    });

    it("never changes a version, removed or not", async () => {
      await put("order", "1.0.0");
      await assert.rejects(put("order", "1.0.0", "another"), { code: "WORKFLOW_IN_CONFLICT" });
      await bed.documents.remove("shop", "order", "1.0.0");
      await assert.rejects(put("order", "1.0.0", "another"), { code: "WORKFLOW_IN_CONFLICT" });
    });

    it("finds the version stored last when none is named", async () => {
      await put("order", "2.0.0");
      const last = await put("order", "1.9.9");
      assert.deepEqual(await bed.documents.find("shop", "order"), last);
    });

    it("takes versions out of use, but keeps them for the runs that they have", async () => {
      const [first, second] = [await put("order", "1.0.0"), await put("order", "1.1.0")];
      assert.equal(await bed.documents.remove("shop", "order", "1.1.0"), 1);
      assert.deepEqual(await bed.documents.find("shop", "order"), first);
      assert.equal(await bed.documents.find("shop", "order", "1.1.0"), undefined);
      assert.deepEqual(await bed.documents.byId(second.id), second);
      assert.equal(await bed.documents.remove("shop", "order"), 1);
      assert.equal(await bed.documents.remove("shop", "order"), 0);
      assert.deepEqual(await bed.documents.list({}, 10), []);
      assert.deepEqual((await bed.documents.put(second)).record, second);
      assert.deepEqual(await bed.documents.find("shop", "order"), second);
    });

    it("lists versions, newest first, page by page, without their texts", async () => {
      const records = [await put("a", "1"), await put("b", "1"), await put("a", "2"), await put("a", "1", "do: []", "other")];
      const list = async (...args: Parameters<typeof bed.documents.list>) =>
        (await bed.documents.list(...args)).map(({ id }) => records.findIndex((record) => record.id === id));
      assert.deepEqual(await list({}, 10), [3, 2, 1, 0]);
      assert.deepEqual(await list({ namespace: "shop" }, 10), [2, 1, 0]);
      assert.deepEqual(await list({ namespace: "shop", name: "a" }, 10), [2, 0]);
      await bed.documents.remove("shop", "a", "2");
      assert.deepEqual(await list({ name: "a" }, 10), [3, 0]);
      assert.deepEqual(await list({ name: "a", withRemoved: true }, 10), [3, 2, 0]);
      assert.deepEqual(await list({ name: "a", withRemoved: true }, 1, records[2]?.id), [0]);
      await bed.documents.put(records[2] as DocumentRecord);
      assert.deepEqual(await list({}, 2), [3, 2]);
      assert.deepEqual(await list({}, 2, records[2]?.id), [1, 0]);
      assert.ok((await bed.documents.list({}, 10)).every((record) => record.text === "" && record.title !== ""));
    });
  });
}
