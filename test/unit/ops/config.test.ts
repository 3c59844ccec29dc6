import assert from "node:assert/strict";
import { loadConfig, printableConfig } from "../../../ops/config.ts";
import { SETTINGS, type Setting } from "../../../ops/settings.ts";
import { MaestroError } from "../../../runtime/errors.ts";

function faultsOf(env: Record<string, string>): Map<string, string> {
  try {
    loadConfig({ env });
  } catch (error) {
    assert(error instanceof MaestroError);
    assert.equal(error.code, "CONFIG_INVALID");
    return new Map(error.violations.map((violation) => [violation.field, violation.description]));
  }
  throw new Error("the configuration was accepted");
}

describe("config", () => {
  it("has the documented defaults when nothing is set", () => {
    const config = loadConfig({ env: { PATH: "/bin" } });
    assert.equal(config.dataFolder, ".maestro");
    assert.equal(config.grpcPort, 50_051);
    assert.equal(config.opsPort, 8080);
    assert.equal(config.opsHost, "127.0.0.1");
    assert.equal(config.allowShell, false);
    assert.equal(config.pgUrl, undefined);
  });

  it("prefers a flag to the environment, and the environment to a command's default", () => {
    const env = { MAESTRO_GRPC_PORT: "7001", MAESTRO_LANES: "3" };
    const config = loadConfig({ env, flags: { grpcPort: "7002" }, defaults: { lanes: 5, allowShell: true } });
    assert.deepEqual([config.grpcPort, config.lanes, config.allowShell], [7002, 3, true]);
  });

  it("reports all faults at once, each with the place that it came from", () => {
    const faults = faultsOf({ MAESTRO_GRPC_PORT: "70000", MAESTRO_ALLOW_SHELL: "maybe", MAESTRO_LOG_LEVEL: "loud", MAESTRO_LEASE_MS: "1e4" });
    assert.deepEqual([...faults.keys()].sort(), ["MAESTRO_ALLOW_SHELL", "MAESTRO_GRPC_PORT", "MAESTRO_LEASE_MS", "MAESTRO_LOG_LEVEL"]);
    assert.match(faults.get("MAESTRO_GRPC_PORT") ?? "", /from 0 to 65535, not "70000"/);
  });

  it("names the flag, not the variable, when the flag is at fault", () => {
    assert.throws(() => loadConfig({ env: {}, flags: { threads: "0" } }), /--threads must be a whole number from 1 to 256/);
  });

  it("takes names of nodes that stand in lists, logs and addresses as they are", () => {
    for (const name of ["a b/c", "", "ä", "n".repeat(256)])
      assert.deepEqual([...faultsOf({ MAESTRO_NODE_NAME: name }).keys()], ["MAESTRO_NODE_NAME"]);
    for (const name of ["node-1", "db_2.example.org"]) assert.equal(loadConfig({ env: { MAESTRO_NODE_NAME: name } }).nodeName, name);
  });

  it("refuses one port for both servers, unless it is any free one or they listen on two addresses", () => {
    const ports = { grpcPort: "7000", opsPort: "7000" };
    assert.throws(() => loadConfig({ env: {}, flags: ports }), /--ops-port must be another port than --grpc-port \(7000\)/);
    assert.deepEqual([...faultsOf({ MAESTRO_GRPC_PORT: "8080" }).keys()], ["MAESTRO_OPS_PORT"]);
    assert.doesNotThrow(() => loadConfig({ env: {}, flags: { grpcPort: "0", opsPort: "0" } }));
    assert.doesNotThrow(() => loadConfig({ env: {}, flags: { ...ports, opsHost: "127.0.0.2" } }));
  });

  it("tells of a misspelt role as that only", () => {
    assert.deepEqual([...faultsOf({ MAESTRO_ROLES: "bogus" }).values()], ['has "bogus", which must be one of gateway, engine, executor']);
  });

  it("refuses variables that no setting has, and guesses what was meant", () => {
    const faults = faultsOf({ MAESTRO_GPRC_PORT: "1", MAESTRO_COMPLETELY_DIFFERENT_THING: "1" });
    assert.equal(faults.get("MAESTRO_GPRC_PORT"), "is not a setting; did you mean MAESTRO_GRPC_PORT?");
    assert.equal(faults.get("MAESTRO_COMPLETELY_DIFFERENT_THING"), "is not a setting");
  });

  it("does not take the client's variable for a misspelling", () => {
    assert.doesNotThrow(() => loadConfig({ env: { MAESTRO_ADDRESS: "host:1" } }));
  });

  it("ignores what Kubernetes tells of a service called maestro", () => {
    const links = {
      MAESTRO_SERVICE_HOST: "10.0.0.1",
      MAESTRO_SERVICE_PORT_GRPC: "50051",
      MAESTRO_PORT: "tcp://10.0.0.1:50051",
      MAESTRO_PORT_50051_TCP_ADDR: "10.0.0.1",
    };
    const config = loadConfig({ env: { ...links, MAESTRO_OPS_PORT: "tcp://10.0.0.2:8080" } });
    assert.equal(config.opsPort, 8080);
  });

  it("never shows a secret: neither printed nor in a complaint", () => {
    const config = loadConfig({ env: { MAESTRO_PG_URL: "postgres://user:hunter2@db/maestro" } });
    assert.equal(printableConfig(config).pgUrl, "(secret)");
    assert.doesNotMatch(faultsOf({ MAESTRO_PG_URL: "user:hunter2@db" }).get("MAESTRO_PG_URL") ?? "", /hunter2/);
  });

  it("takes URLs of PostgreSQL in which no part of a password can be mistaken for something that is shown", () => {
    const good = [
      "postgres://db/maestro",
      "postgresql://user@db:5432/maestro",
      "postgres://user:p%2Fw%23@[::1]:5432/maestro?sslmode=verify-full&sslrootcert=/etc/ca.pem",
      "postgres:///maestro?host=/var/run/postgresql",
      "postgres://u:p@ss@db/maestro",
    ];
    for (const pgUrl of good) assert.equal(loadConfig({ env: { MAESTRO_PG_URL: pgUrl } }).pgUrl, pgUrl);
    for (const rest of ["", "u:12/hunter2@db/m", "u:12?hunter2@db/m", "u:12#hunter2@db/m", "u:hunter2@db:none/m", "u:hunter2@db/m?a=b@c"]) {
      const fault = faultsOf({ MAESTRO_PG_URL: `postgres://${rest}` }).get("MAESTRO_PG_URL") ?? assert.fail(`${rest} was taken`);
      assert.doesNotMatch(fault, /hunter2/);
    }
  });

  it("takes lists of known words, each once, and refuses to leave work to others that can't be reached", () => {
    const natsUrl = "nats://localhost:4222";
    const config = loadConfig({ env: { MAESTRO_ROLES: "gateway, engine", MAESTRO_NATS_URL: natsUrl }, flags: { queues: "gpu,default" } });
    assert.deepEqual(
      [config.roles, config.queues],
      [
        ["gateway", "engine"],
        ["gpu", "default"],
      ],
    );
    assert.equal(printableConfig(config).roles, "gateway,engine");
    assert.equal(printableConfig(loadConfig({ env: {} })).queues, "(all)");
    const faultOf = (roles: string): string | undefined => faultsOf({ MAESTRO_ROLES: roles, MAESTRO_NATS_URL: natsUrl }).get("MAESTRO_ROLES");
    assert.match(faultOf("engine,cook") ?? "", /has "cook", which must be one of gateway, engine, executor/);
    assert.match(faultOf(" ") ?? "", /must not be empty/);
    assert.match(faultOf("engine,engine") ?? "", /twice/);
    assert.match(faultsOf({ MAESTRO_ROLES: "engine" }).get("MAESTRO_ROLES") ?? "", /needs a NATS server/);
    assert.match(faultsOf({ MAESTRO_QUEUES: "gpu" }).get("MAESTRO_QUEUES") ?? "", /needs a NATS server/);
  });

  it("leaves nothing to others in development, reachable or not", () => {
    const natsUrl = "nats://localhost:4222";
    for (const env of [{}, { MAESTRO_NATS_URL: natsUrl }]) {
      const load = (): unknown => loadConfig({ env: { ...env, MAESTRO_QUEUES: "gpu" }, flags: { roles: "engine" }, isDevelopment: true });
      assert.throws(load, (error: unknown) => {
        assert(error instanceof MaestroError && error.code === "CONFIG_INVALID");
        const said = error.violations.map(({ field, description }) => [field, /`maestro start` runs a node that does only a part/.test(description)]);
        assert.deepEqual(said, [
          ["--roles", true],
          ["MAESTRO_QUEUES", true],
        ]);
        return true;
      });
    }
    assert.equal(loadConfig({ env: {}, flags: { roles: "executor,gateway,engine" }, isDevelopment: true }).roles.length, 3);
  });

  it("is frozen", () => {
    const config = loadConfig({ env: {} });
    assert.throws(() => Object.assign(config, { lanes: 1 }), TypeError);
  });

  it("gives each setting a variable, a flag and a sentence of its own", () => {
    const settings: Setting[] = Object.values(SETTINGS);
    assert.equal(new Set(settings.map((setting) => setting.env)).size, settings.length);
    assert.equal(new Set(settings.map((setting) => setting.flag)).size, settings.length);
    for (const setting of settings) assert.match(setting.doc, /^[A-Z].*\.$/s, setting.env);
  });
});
