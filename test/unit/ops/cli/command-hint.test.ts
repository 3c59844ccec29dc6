/** Commands that people are told to type: they must work as they are. */
import assert from "node:assert/strict";
import { commandHint } from "../../../../ops/cli/command-hint.ts";
import { ERRORS } from "../../../../runtime/error-registry.ts";

describe("hints at commands", () => {
  const hint = (address: string, asked?: string): string => commandHint({ MAESTRO_ADDRESS: asked }, "runs list", address);
  const bare = "npx maestro runs list";

  it("are run as the README has them run, and name an address only where it is needed", () => {
    assert.equal(hint("127.0.0.1:50051"), bare);
    assert.equal(hint("10.0.0.7:50051"), `${bare} --address 10.0.0.7:50051`);
  });

  it("go to the node that was asked, whichever MAESTRO_ADDRESS names", () => {
    assert.equal(hint("127.0.0.1:50051", "prod:50051"), `${bare} --address 127.0.0.1:50051`);
    assert.equal(hint("prod:50051", "prod:50051"), bare);
    assert.equal(hint("prod:50051", "grpc://prod"), bare);
    assert.equal(hint("127.0.0.1:50051,127.0.0.1:50052", "localhost,localhost:50052"), bare);
    assert.equal(hint("127.0.0.1:50051", "no address"), `${bare} --address 127.0.0.1:50051`);
  });

  it("have the same form in the advice of errors", () => {
    for (const [code, { advice }] of Object.entries(ERRORS)) assert.doesNotMatch(advice, /(?<!npx )\bmaestro [a-z]/, code);
  });
});
