import assert from "node:assert/strict";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { type GatewayWorld, openGateway } from "../support/gateway-world.ts";

describe("a client that was closed", () => {
  let world: GatewayWorld;

  before(async () => {
    world = await openGateway();
  });
  after(() => world.close());

  const calls: Readonly<Record<string, (client: MaestroClient) => Promise<unknown>>> = {
    "a unary call": (client) => client.listWorkflows(),
    "an execution": (client) => client.execute({ workflow: "echo" }),
    "a watch": (client) => client.watch("any").next(),
  };
  for (const [name, call] of Object.entries(calls)) {
    it(`refuses ${name} with an error of the registry`, async () => {
      const client = connect(world.server.address);
      await client.listWorkflows();
      client.close();
      await assert.rejects(call(client), { code: "CLIENT_CLOSED", retryable: false });
    });
  }
});
