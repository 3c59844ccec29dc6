import assert from "node:assert/strict";
import { EventHub } from "../../../runtime/events.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { documentOf, gatewayParts } from "../../support/gateway-world.ts";

describe("a workflow document near its bound", () => {
  it("is deployed, and told of", async () => {
    const events = new EventHub();
    const seen: unknown[] = [];
    events.on("limit.near", ({ limit, workflow }) => seen.push([limit, workflow]));
    const { workflows } = gatewayParts(undefined, events);
    await workflows.deploy(documentOf("small", "1.0.0"), false);
    await workflows.deploy(documentOf("large", "1.0.0", "default", "x".repeat(LIMITS.documentBytes / 2)), false);
    assert.deepEqual(seen, [["documentBytes", "default/large"]]);
  });
});
