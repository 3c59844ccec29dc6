/** Concurrency keys on three processes that are killed: how many attempts were under way at a time, as the tasks themselves noted it. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { RunStatus } from "../../proto/gen/maestro/v1/common.ts";
import { startClusterNode } from "../support/cluster-node.ts";
import { endAll, type MaestroProcess } from "../support/maestro-process.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { execute, freshDatabase } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const HANDLERS = fileURLToPath(new URL("../fixtures/limited-handlers", import.meta.url));
const RUNS = 60;
const LIMIT = 3;
const PRINT = `document: { dsl: 1.0.3, namespace: default, name: print, version: 1.0.0 }
do:
  - print:
      call: print@default
      with: { n: "\${ .n }" }
      metadata: { concurrency: { key: "\${ .printer }", limit: ${LIMIT} } }
`;

/** One execution of an attempt. `endedAtNs` undefined: its process died under it. */
interface Execution {
  /** Its process, and the one above: the node is one of them. */
  readonly pids: readonly number[];
  readonly attempt: string;
  readonly startedAtNs: bigint;
  endedAtNs: bigint | undefined;
}

describe("concurrency keys on processes that are killed", function () {
  this.timeout(120_000);
  let cwd: string;
  let trace: string;
  let pgUrl: string;
  let nats: NatsServer;
  const processes = new Map<string, MaestroProcess>();
  const clients = new Map<string, MaestroClient>();
  const diedAtNs = new Map<number, bigint>();

  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), "maestro-keys-"));
    trace = join(cwd, "trace");
    writeFileSync(trace, "");
    [pgUrl, nats] = await Promise.all([freshDatabase(), startNatsServer()]);
    for (const name of ["p1", "p2", "p3"]) await open(name);
    await clientOf("p3").deploy(PRINT);
  });
  after(async () => {
    for (const client of clients.values()) client.close();
    endAll();
    await nats.close();
    rmSync(cwd, { recursive: true, force: true });
  });

  const clientOf = (name: string): MaestroClient => clients.get(name) ?? assert.fail(`${name} is there`);
  async function open(name: string): Promise<void> {
    const node = startClusterNode(name, { pgUrl, nats, leaseMs: 1_500, cwd, handlers: HANDLERS, env: { TASK_TRACE: trace } });
    processes.set(name, node);
    clients.set(name, connect(await node.ready()));
  }
  async function kill(name: string): Promise<void> {
    const node = processes.get(name) ?? assert.fail(`${name} runs`);
    node.kill("SIGKILL");
    await node.ended();
    diedAtNs.set(node.pid ?? 0, process.hrtime.bigint());
    clientOf(name).close();
    clients.delete(name);
  }
  const executions = (): Execution[] => {
    const found = new Map<string, Execution>();
    for (const line of readFileSync(trace, "utf8").trim().split("\n")) {
      const [what, pid, ppid, key, attempt, atNs] = line.split(" ");
      if (atNs === undefined) continue;
      const id = `${pid} ${key} ${attempt}`;
      if (what === "start")
        found.set(id, { pids: [Number(pid), Number(ppid)], attempt: `${key} ${attempt}`, startedAtNs: BigInt(atNs), endedAtNs: undefined });
      else (found.get(id) ?? assert.fail(`${id} began`)).endedAtNs = BigInt(atNs);
    }
    return [...found.values()];
  };
  const ended = (count: number) =>
    waitUntil(`${count} tasks to have ended`, () => executions().filter(({ endedAtNs }) => endedAtNs !== undefined).length >= count, 60_000);

  it("never has more attempts under way than the limit, and completes all, in the end without a slot taken", async () => {
    const input = (n: number): string => JSON.stringify({ n, printer: "p" });
    const names = ["p1", "p2", "p3"];
    const starts = Array.from({ length: RUNS }, (_, n) => clientOf(names[n % 3] ?? "").start({ workflow: "print", input: input(n) }));
    const runIds = (await Promise.all(starts)).map(({ runId }) => runId);
    await ended(8);
    await kill("p1");
    await open("p1");
    await ended(25);
    await kill("p2");
    const statuses = await Promise.all(runIds.map(async (runId) => (await clientOf("p3").awaitRun(runId)).status));
    assert.deepEqual(new Set(statuses), new Set([RunStatus.COMPLETED]));
    const all = executions();
    const most = mostAtATime(all, diedAtNs);
    assert.ok(most > 1 && most <= LIMIT, `${most} attempts were under way at a time; the limit is ${LIMIT}`);
    assert.equal(new Set(all.map(({ attempt }) => attempt)).size, RUNS);
    await waitUntil("all slots to be free", async () => (await execute(pgUrl, "SELECT 1 FROM task_slots")).length === 0, 40_000);
  });
});

/** Most attempts under way at one time; executions of one attempt count once. */
function mostAtATime(all: readonly Execution[], diedAtNs: ReadonlyMap<number, bigint>): number {
  const endOf = ({ pids: [pid = 0, above = 0], endedAtNs }: Execution): bigint =>
    endedAtNs ?? diedAtNs.get(pid) ?? diedAtNs.get(above) ?? assert.fail(`process ${pid} has ended`);
  const atStartOf = ({ startedAtNs: at }: Execution): number =>
    new Set(all.filter((other) => other.startedAtNs <= at && at < endOf(other)).map(({ attempt }) => attempt)).size;
  return Math.max(...all.map(atStartOf));
}
