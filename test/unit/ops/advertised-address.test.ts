/** What a node says of where its gateway is reached. */
import assert from "node:assert/strict";
import { advertisedAddress, isAddress } from "../../../ops/advertised-address.ts";
import { loadConfig } from "../../../ops/config.ts";

describe("the advertised address", () => {
  it("is what the gateway listens on, or the host's name where that is every address, unless it is set", () => {
    assert.equal(advertisedAddress("127.0.0.1:50051", undefined, "box"), "127.0.0.1:50051");
    assert.equal(advertisedAddress("[::1]:7", undefined, "box"), "[::1]:7");
    assert.equal(advertisedAddress("0.0.0.0:7", undefined, "box"), "box:7");
    assert.equal(advertisedAddress("[::]:7", undefined, "box"), "box:7");
    assert.equal(advertisedAddress("0.0.0.0:7", "front.example:443", "box"), "front.example:443");
  });

  it("must be host:port", () => {
    for (const right of ["a:1", "10.0.0.1:65535", "[fe80::1]:50051", "node-1.example.com:443"]) assert.ok(isAddress(right), right);
    for (const wrong of ["a", ":1", "a:0", "a:65536", "fe80::1:50051", "http://a:1", "a:1/x", "a b:1"]) {
      assert.ok(!isAddress(wrong), wrong);
      assert.throws(() => loadConfig({ env: { MAESTRO_GRPC_ADVERTISE: wrong } }), { code: "CONFIG_INVALID" });
    }
  });
});
