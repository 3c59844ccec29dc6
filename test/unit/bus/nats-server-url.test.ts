import assert from "node:assert/strict";
import { parseNatsUrl } from "../../../runtime/bus/nats-server-url.ts";
import type { MaestroError } from "../../../runtime/errors.ts";

describe("parseNatsUrl", () => {
  it("reads hosts, ports and lists", () => {
    assert.deepEqual(parseNatsUrl("nats://h").servers, [{ host: "h", port: 4222 }]);
    assert.deepEqual(parseNatsUrl("nats://h:80/").servers, [{ host: "h", port: 80 }]);
    assert.deepEqual(parseNatsUrl("nats://[::1]:5000").servers, [{ host: "::1", port: 5000 }]);
    const list = parseNatsUrl("tls://u:p@a.example:1,b.example");
    assert.deepEqual([list.address, list.isTls], ["a.example:1,b.example:4222", true]);
  });

  it("reads a user with a password, or a token, percent-encoded", () => {
    const { user, password, token } = parseNatsUrl("nats://us%40er:p%3Aw@h");
    assert.deepEqual([user, password, token], ["us@er", "p:w", undefined]);
    assert.equal(parseNatsUrl("nats://s3cr%20et@h").token, "s3cr et");
  });

  it("refuses what is malformed without repeating it", () => {
    for (const url of [
      "",
      "h:4222",
      "http://h",
      "nats://",
      "nats://u:hidden@",
      "nats://h:x",
      "nats://u:hidden@h/x",
      "nats://%zz:hidden@h",
      "nats://h,,g",
    ]) {
      const isDiscreet = (error: MaestroError) => error.code === "CONFIG_INVALID" && !error.message.includes("hidden");
      assert.throws(() => parseNatsUrl(url), isDiscreet, url);
    }
  });
});
