/** Commands that people are told to type: they must work as they are. */
import assert from "node:assert/strict";
import { commandHint } from "../../../../ops/cli/command-hint.ts";
import { ERRORS } from "../../../../runtime/error-registry.ts";

describe("hints at commands", () => {
  it("are run as the README has them run, and name an address only where it is needed", () => {
    assert.equal(commandHint("runs list"), "npx maestro runs list");
    assert.equal(commandHint("runs list", "127.0.0.1:50051"), "npx maestro runs list");
    assert.equal(commandHint("runs list", "10.0.0.7:50051"), "npx maestro runs list --address 10.0.0.7:50051");
  });

  it("have the same form in the advice of errors", () => {
    for (const [code, { advice }] of Object.entries(ERRORS)) assert.doesNotMatch(advice, /(?<!npx )\bmaestro [a-z]/, code);
  });
});
