/** Nodes and NATS servers that show each other who they are: encrypted, by user and password, and by a credentials file. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nkeys } from "nats";
import { connect } from "../../gateway/grpc-client.ts";
import { loadConfig } from "../../ops/config.ts";
import { natsAccess } from "../../ops/nats-access.ts";
import { type RunningNode, startNode } from "../../ops/node.ts";
import { RunStatus } from "../../proto/gen/maestro/v1/common.ts";
import type { Bus } from "../../runtime/bus/bus.ts";
import { type NatsBusOptions, openNatsBus } from "../../runtime/bus/nats-bus.ts";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { systemRandom } from "../../runtime/random.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { freshDatabase, temporaryFolder } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

type Access = Omit<NatsBusOptions, "name" | "clock" | "random" | "events">;

const PASSWORD = "right-secret";

/** A certificate for 127.0.0.1, signed by itself, and its key; answers their files. */
function certificate(folder: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const subject = ["-subj", "/CN=nats", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1", "-nodes"];
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", key, "-out", cert, ...subject], {
    stdio: "pipe",
  });
  return { cert, key };
}

/** A token of NATS's kind: who `subject` is, signed by its issuer. */
function token(issuer: ReturnType<typeof nkeys.createUser>, subject: string, name: string, nats: object): string {
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  const claims = { jti: name, iat: Math.floor(Date.now() / 1_000), iss: issuer.getPublicKey(), name, sub: subject, nats: { version: 2, ...nats } };
  const signed = `${encode({ typ: "JWT", alg: "ed25519-nkey" })}.${encode(claims)}`;
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString("base64url")}`;
}

/** A server's configuration with an operator and an account, and the credentials file of a user of it. */
function identities(folder: string): { readonly configuration: string; readonly credentialsFile: string } {
  const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()];
  const unlimited = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const operatorToken = token(operator, operator.getPublicKey(), "operator", { type: "operator" });
  const accountToken = token(operator, account.getPublicKey(), "account", { type: "account", limits: unlimited });
  const userToken = token(account, user.getPublicKey(), "user", { type: "user", pub: {}, sub: {}, subs: -1, data: -1, payload: -1 });
  const credentialsFile = join(folder, "node.creds");
  const seed = Buffer.from(user.getSeed()).toString();
  writeFileSync(
    credentialsFile,
    `-----BEGIN NATS USER JWT-----\n${userToken}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
  );
  const configuration = `operator: ${operatorToken}\nresolver: MEMORY\nresolver_preload: { ${account.getPublicKey()}: ${accountToken} }`;
  return { configuration, credentialsFile };
}

const QUICK = "document: { dsl: 1.0.3, namespace: default, name: quick, version: 1.0.0 }\ndo: [{ rest: { wait: { milliseconds: 50 } } }]\n";

/** A run of one node is awaited at the other, which takes a call between them. */
async function answersFor(node: RunningNode, other: RunningNode): Promise<void> {
  const [here, there] = [connect(node.grpcAddress), connect(other.grpcAddress)];
  try {
    await here.deploy(QUICK);
    const { runId } = await here.start({ workflow: "quick" });
    assert.equal((await there.awaitRun(runId)).status, RunStatus.COMPLETED);
  } finally {
    here.close();
    there.close();
  }
}

describe("NATS servers that ask who is there", function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let server: NatsServer | undefined;
  const buses: Bus[] = [];
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
    await server?.close();
  });

  /** A bus, and what it was told of its connection. */
  function open(access: Access): { readonly bus: Bus; readonly told: string[] } {
    const told: string[] = [];
    const events = new EventHub();
    for (const name of ["bus.connected", "bus.disconnected"] as const) events.on(name, (event) => told.push(JSON.stringify({ name, event })));
    const bus = openNatsBus({ ...access, name: "node", clock: systemClock(), random: systemRandom(), events });
    buses.push(bus);
    return { bus, told };
  }

  async function assertWorks(access: Access): Promise<void> {
    const [{ bus: asked }, { bus: asking }] = [open(access), open(access)];
    asked.respond("question", ({ payload }) => ({ payload }));
    await waitUntil("both to be connected", () => [asked, asking].every(({ status }) => status.state === "connected"), 30_000);
    const answer = async (): Promise<string> =>
      Buffer.from((await asking.request("question", Buffer.from("well?"), { timeoutMs: 1_000 })).payload).toString();
    assert.equal(await waitUntil("an answer", answer, 30_000), "well?");
  }

  async function assertRefused(access: Access): Promise<void> {
    const { bus, told } = open(access);
    await waitUntil("the refusal", () => told.length > 0, 30_000);
    assert.equal(bus.status.state, "disconnected");
    assert.doesNotMatch(told.join(), new RegExp(`${PASSWORD}|wrong-secret|bus.connected`));
  }

  it("are reached through TLS, by user and password, and only with the authority that signed for them", async () => {
    const { cert, key } = certificate(folder);
    const authorization = `authorization { user: "node", password: "${PASSWORD}" }`;
    server = await startNatsServer({ configuration: `tls { cert_file: "${cert}", key_file: "${key}" }\n${authorization}` });
    const urlOf = (scheme: string, password: string): string => `${scheme}://node:${password}@127.0.0.1:${server?.port}`;
    const tls = { ca: readFileSync(cert, "utf8") };
    await assertWorks({ url: urlOf("tls", PASSWORD), tls });
    await assertWorks({ url: urlOf("nats", PASSWORD), tls });
    await assertRefused({ url: urlOf("tls", "wrong-secret"), tls });
    await assertRefused({ url: urlOf("tls", PASSWORD) });
    await assertRefused({ url: urlOf("nats", PASSWORD) });
  });

  it("let whole nodes in, with an authority and a credentials file", async () => {
    const { cert, key } = certificate(folder);
    const { configuration, credentialsFile } = identities(folder);
    server = await startNatsServer({ configuration: `tls { cert_file: "${cert}", key_file: "${key}" }\n${configuration}` });
    const pgUrl = await freshDatabase();
    const access = { natsUrl: `tls://127.0.0.1:${server.port}`, natsAuthority: cert, natsCredentials: credentialsFile };
    const flags = { pgUrl, ...access, grpcPort: "0", opsPort: "0", threads: "1", leaseMs: "10000", logLevel: "silent" };
    const start = (nodeName: string): Promise<RunningNode> => {
      return startNode({ config: loadConfig({ env: {}, flags: { ...flags, nodeName } }), prettyLog: false });
    };
    const nodes = [await start("n1"), await start("n2")];
    try {
      await waitUntil("the nodes to share the shards", () => nodes.every(({ ownedShards }) => ownedShards > 1_000), 60_000);
      await Promise.all(nodes.map((node, place) => answersFor(node, nodes[1 - place] as RunningNode)));
    } finally {
      await Promise.all(nodes.map((node) => node.stop()));
    }
    assert.throws(() => natsAccess("nats://x", { natsAuthority: join(folder, "absent"), natsCredentials: undefined }), { code: "CONFIG_INVALID" });
  });

  it("are reached with a credentials file, and not without", async () => {
    const { configuration, credentialsFile } = identities(folder);
    server = await startNatsServer({ configuration });
    await assertWorks({ url: server.url, credentialsFile });
    await assertRefused({ url: server.url });
    const stranger = identities(temporaryFolder());
    await assertRefused({ url: server.url, credentialsFile: stranger.credentialsFile });
  });
});
