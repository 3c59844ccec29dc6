/** What a node's readiness says of parts that come and go. */
import assert from "node:assert/strict";
import { NodeHealth } from "../../../ops/node-health.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";

describe("the health of a node", () => {
  let events: EventHub;
  let health: NodeHealth;
  beforeEach(() => {
    events = new EventHub();
    health = new NodeHealth({ stages: ["bus", "cluster"], events, clock: virtualClock(), onChange: () => undefined });
    for (const stage of ["bus", "cluster", "stores"]) health.stageStarted(stage);
  });
  const check = (name: string) => health.readiness.checks().find((entry) => entry.name === name);

  it("notes that the message bus is away, without which the node works", () => {
    events.emit("bus.disconnected", { address: "nats://a", reason: "refused" });
    assert.deepEqual(check("bus"), { name: "bus", ready: true, reason: "", note: "not connected, runs of other nodes can't be reached: refused" });
    assert.equal(health.readiness.isReady, true);
    events.emit("bus.connected", { address: "nats://a" });
    assert.deepEqual(check("bus"), { name: "bus", ready: true, reason: "" });
  });

  it("is not ready while no other node is heard", () => {
    events.emit("cluster.unheard", { peers: 2 });
    assert.deepEqual([health.readiness.isReady, check("cluster")?.reason], [false, "none of 2 other nodes is heard on the message bus"]);
    events.emit("cluster.heard", {});
    assert.equal(health.readiness.isReady, true);
  });
});
