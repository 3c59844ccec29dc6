import assert from "node:assert/strict";
import { formatAddress, parseAddress, parseTarget } from "../../../gateway/address.ts";

describe("address", () => {
  it("is completed from what a person wrote", () => {
    const cases = {
      "": "127.0.0.1:50051",
      ":6000": "127.0.0.1:6000",
      "node-1": "node-1:50051",
      "node-1:6000": "node-1:6000",
      "grpc://node-1.example:6000/": "node-1.example:6000",
      "[::1]": "[::1]:50051",
      "[::1]:6000": "[::1]:6000",
    };
    for (const [text, address] of Object.entries(cases)) assert.equal(parseAddress(text), address);
  });

  it("is refused when it is none", () => {
    for (const text of ["node:0", "node:70000", "a b", "http://node", "::1", "node:port", "[::1", "a/b"]) {
      assert.throws(() => parseAddress(text), {
        code: "FIELD_INVALID",
        facts: { field: "address", reason: `${JSON.stringify(text)} is not of the form host:port.` },
      });
    }
  });

  it("of several gateways is a list of IP addresses of one family", () => {
    const targetOf = (text: string): string => parseTarget(text).target;
    assert.equal(targetOf("node-1"), "node-1:50051");
    assert.equal(targetOf("localhost:1, 127.0.0.1:2,:3"), "ipv4:127.0.0.1:1,127.0.0.1:2,127.0.0.1:3");
    assert.equal(targetOf("[::1]:1,[::1]:2"), "ipv6:[::1]:1,[::1]:2");
    for (const text of ["node-1,node-2", "127.0.0.1,[::1]", "127.0.0.1:1,node:0"]) assert.throws(() => parseTarget(text), { code: "FIELD_INVALID" });
  });

  it("puts brackets around IPv6", () => {
    assert.equal(formatAddress("::1", 1), "[::1]:1");
    assert.equal(formatAddress("localhost", 1), "localhost:1");
  });
});
