import assert from "node:assert/strict";
import { loadConfig } from "../../../../ops/config.ts";
import { environmentOf } from "../../../../ops/local-cluster/node-settings.ts";

describe("the environment of a node in a process of its own", () => {
  it("spells its configuration", () => {
    const changed = {
      nodeName: "n1",
      natsUrl: "nats://localhost",
      queues: "a,b",
      roles: "engine,executor",
      allowShell: "true",
      leaseMs: "5000",
      grpcPort: "0",
    };
    for (const flags of [{}, changed]) {
      const config = loadConfig({ env: {}, flags });
      assert.deepEqual(loadConfig({ env: environmentOf(config, {}) }), config);
    }
  });

  it("leaves everything else as it is, and nothing of the settings of this process", () => {
    const config = loadConfig({ env: {}, flags: { nodeName: "n1" } });
    const env = environmentOf(config, { PATH: "/bin", MAESTRO_LANES: "4" });
    assert.deepEqual(env, { PATH: "/bin", MAESTRO_NODE_NAME: "n1" });
  });
});
