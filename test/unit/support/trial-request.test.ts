import assert from "node:assert/strict";
import { readTrialRequest, type TrialCommand } from "../../support/trial-request.ts";

describe("a request for trials", () => {
  const command: TrialCommand = { usage: "usage", names: ["one", "two"], numbers: ["seed", "rounds"], texts: ["corpus"], flags: ["verbose"] };
  const read = (...args: string[]) => readTrialRequest(command, args);

  it("means all trials unless some are named", () => {
    assert.deepEqual(read()?.names, ["one", "two"]);
    assert.deepEqual(read("two")?.names, ["two"]);
  });

  it("takes numbers, texts and flags", () => {
    const request = read("--seed", "7", "--corpus=some/folder", "--verbose");
    assert.deepEqual(request?.numbers, { seed: 7, rounds: undefined });
    assert.deepEqual(request?.texts, { corpus: "some/folder" });
    assert.deepEqual([...(request?.flags ?? [])], ["verbose"]);
  });

  it("answers nothing when help is asked for", () => {
    assert.equal(read("--help"), undefined);
  });

  it("refuses what it does not know, by name", () => {
    assert.throws(() => read("three"), /no "three"; there are one, two/);
    assert.throws(() => read("--sed", "7"), /--sed/);
    for (const wrong of ["many", "", "-1", "1.5", "4294967296"]) assert.throws(() => read(`--rounds=${wrong}`), /--rounds takes a whole number/);
  });
});
