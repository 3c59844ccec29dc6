import assert from "node:assert/strict";
import { waitUntil } from "../../support/wait-until.ts";

describe("waitUntil", () => {
  it("resolves with the first value that is neither undefined nor false", async () => {
    const answers = [undefined, false, 0] as const;
    let calls = 0;
    assert.equal(await waitUntil("the third answer", () => answers[calls++]), 0);
    assert.equal(calls, 3);
  });

  it("goes on after an error of the condition", async () => {
    let calls = 0;
    const condition = async (): Promise<string> => {
      if (calls++ === 0) throw new Error("not yet");
      return "ready";
    };
    assert.equal(await waitUntil("readiness", condition), "ready");
  });

  it("names what was awaited, with the last error as the cause, when the deadline passes", async () => {
    const refused = new Error("connection refused");
    const waiting = waitUntil(
      "the server to listen",
      () => {
        throw refused;
      },
      10,
    );
    await assert.rejects(
      waiting,
      (error: Error) => error.message === "timed out after 10 ms waiting for the server to listen" && error.cause === refused,
    );
  });
});
