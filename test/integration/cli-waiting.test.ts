/** Commands that would wait: for a node that does not answer, for the end of a history that has none. The command line in this process. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { runCommandLine } from "../../ops/cli/commander-program.ts";
import { EXIT } from "../../ops/cli/exit-code.ts";
import { connectGateway } from "../../ops/cli/gateway-connection.ts";
import { Output } from "../../ops/cli/output.ts";
import { openTerminal } from "../../ops/cli/terminal.ts";
import { systemClock } from "../../runtime/clock.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { seededRandom } from "../../runtime/random.ts";
import { type GatewayWorld, openGateway } from "../support/gateway-world.ts";

/** What a command wrote, and how it ended. */
interface Answer {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

async function command(args: readonly string[], interrupted = new AbortController().signal): Promise<Answer> {
  const texts = { out: "", errors: "" };
  const terminal = (name: keyof typeof texts) => openTerminal({ write: (text) => (texts[name] += text) }, {});
  const surroundings = { env: {}, cwd: "/", clock: systemClock(), random: seededRandom(1), exitCode: EXIT.ok };
  const output = new Output(terminal("out"), terminal("errors"));
  const code = await runCommandLine(args, { ...surroundings, output, interrupted, hurried: () => interrupted, connect: connectGateway });
  return { code, ...texts };
}

describe("a command that is interrupted while no node answers", () => {
  it("ends, without a word", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    try {
      for (const args of [["runs", "list"], ["run", "greet"], ["run", "greet", "--wait"], ["node", "list"], ["events"], ["runs", "watch", "r"]]) {
        const interruption = new AbortController();
        const connected = once(silent, "connection");
        const answer = command([...args, "--address", address], interruption.signal);
        await connected;
        interruption.abort();
        assert.deepEqual(await answer, { code: EXIT.interrupted, out: "", errors: "" }, args.join(" "));
      }
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  }).timeout(20_000);
});

describe("a run that grows as fast as it is read", () => {
  let world: GatewayWorld;
  before(async () => {
    world = await openGateway();
  });
  after(() => world.close());

  it("is shown up to the entry that was its last", async () => {
    const { runId } = await world.client.start({ workflow: "echo", input: '{"hold":true}' });
    let pages = 0;
    const { fake } = world;
    const read = fake.history.bind(fake);
    fake.history = async (id, fromSeq, limit) => {
      pages += 1;
      assert.ok(pages < 10, "a reading has an end");
      for (let count = 0; count < LIMITS.pageRows; count += 1) fake.note(id, "run.grew");
      return read(id, fromSeq, limit);
    };
    const { lastSeq } = await world.client.getRun(runId);
    const lines = (await command(["runs", "history", runId, "--address", world.client.address])).out.trimEnd().split("\n");
    assert.deepEqual([lines.length, pages], [lastSeq, 1]);
    const shown = await command(["runs", "show", runId, "--address", world.client.address]);
    assert.deepEqual([shown.code, shown.errors], [EXIT.ok, ""]);
  }).timeout(20_000);
});
