import assert from "node:assert/strict";
import { TakenRequests } from "../../../runtime/bus/taken-requests.ts";
import { LIMITS } from "../../../runtime/limits.ts";

describe("TakenRequests", () => {
  it("takes a request once", () => {
    const taken = new TakenRequests();
    assert.deepEqual([taken.take("a"), taken.take("b"), taken.take("a")], [true, true, false]);
  });

  it("takes every request that wants no answer", () => {
    const taken = new TakenRequests();
    assert.deepEqual([taken.take(""), taken.take("")], [true, true]);
  });

  it("remembers the newest, and none for ever", () => {
    const taken = new TakenRequests();
    assert.ok(taken.take("first"));
    for (let number = 1; number < LIMITS.busRequestsRemembered; number++) assert.ok(taken.take(`${number}`));
    assert.equal(taken.take("first"), false);
    for (let number = 0; number < LIMITS.busRequestsRemembered; number++) assert.ok(taken.take(`more ${number}`));
    assert.equal(taken.take("more 0"), false);
    assert.equal(taken.take("first"), true);
  });
});
