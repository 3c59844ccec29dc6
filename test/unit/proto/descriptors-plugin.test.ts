import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { FILE_DESCRIPTORS } from "../../../proto/gen/descriptors.ts";

const PLUGIN = fileURLToPath(new URL("../../../proto/descriptors-plugin.ts", import.meta.url));

/** A length-delimited field of an encoded message. For numbers below 16 and values below 128 bytes. */
function field(number: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value as string);
  assert.ok(number < 16 && bytes.length < 128);
  return Buffer.concat([Buffer.of((number << 3) | 2, bytes.length), bytes]);
}

describe("descriptors plugin", () => {
  it("writes every public file without its comments, and no private one", () => {
    const name = field(1, "maestro/v1/a.proto");
    const imported = field(3, "maestro/v1/b.proto");
    const sourceInfo = field(9, "positions and comments");
    const files = [Buffer.concat([name, sourceInfo, imported]), field(1, "maestro/journal/v1/entry.proto")];
    const { stdout, status } = spawnSync(process.execPath, [PLUGIN], { input: Buffer.concat(files.map((file) => field(15, file))) });
    assert.equal(status, 0);
    const text = stdout.toString();
    assert.match(text, /descriptors\.ts/);
    assert.ok(text.includes(`"maestro/v1/a.proto": "${Buffer.concat([name, imported]).toString("base64")}"`), text);
    assert.ok(!text.includes("entry.proto"), text);
  });

  it("was last run on contracts that hold everything clients need", () => {
    assert.deepEqual(Object.keys(FILE_DESCRIPTORS), [
      "google/protobuf/any.proto",
      "google/protobuf/duration.proto",
      "google/protobuf/timestamp.proto",
      "google/rpc/error_details.proto",
      "google/rpc/status.proto",
      "maestro/v1/cluster_service.proto",
      "maestro/v1/common.proto",
      "maestro/v1/event_service.proto",
      "maestro/v1/run_service.proto",
      "maestro/v1/workflow_service.proto",
    ]);
  });
});
