/**
 * The disk of the node's data fills up under load, on a small filesystem in memory that only this process and its children see: writes must wait or fail
 * with an error that says why, nothing that was acknowledged may be lost, and once there is space again everything must go on by itself.
 *
 * Needs root and Linux's mount namespaces. Without them the scenario says so and shows nothing.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, rmSync, statfsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../runtime/errors.ts";
import { execute } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";
import { ChaosNode, postmasterOf } from "./chaos-node.ts";
import { Load } from "./load.ts";
import { type Scenario, type ScenarioOptions, type ScenarioResult, settleAndAudit, withFolder } from "./scenario.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
/** Says that the process has a mount namespace of its own. */
const IN_NAMESPACE = "CHAOS_OWN_MOUNTS";
const ROUNDS = 4;
const WIDTH = 200;
const SIZE_MB = 200;
const BLOCK = Buffer.alloc(64 * 1024);

/** See the file header. `rounds`: how often the disk is full. */
export const diskFull: Scenario = (options) => {
  if (process.env[IN_NAMESPACE] === "yes") return withFolder((folder) => fillAndFree(options, folder));
  return inNamespace(options);
};

/** Runs the scenario again in a process with mounts of its own; a mount can't outlive it. */
async function inNamespace({ random, say, rounds = ROUNDS }: ScenarioOptions): Promise<ScenarioResult> {
  const args = [process.execPath, MAIN, "disk-full", "--rounds", String(rounds), "--seed", String(random.uint32()), "--verbose"];
  const child = spawnSync("unshare", ["--mount", "--propagation", "private", ...args], {
    env: { ...process.env, [IN_NAMESPACE]: "yes" },
    encoding: "utf8",
  });
  const lines = `${child.stdout ?? ""}${child.stderr ?? ""}`.trim().split("\n");
  if (child.error !== undefined || /unshare failed|must be superuser/.test(child.stderr)) {
    return { summary: [`not run: a mount namespace can't be made here (${child.error?.message ?? child.stderr.trim()})`], findings: [] };
  }
  for (const line of lines) say(line.trim());
  const findings = lines.filter((line) => line.includes("FOUND")).map((line) => line.trim().slice("FOUND ".length));
  if (child.status !== 0 && findings.length === 0) findings.push(`the process ended with ${child.status ?? child.signal}: ${lines.at(-1) ?? ""}`);
  return { summary: lines.slice(1, -1).map((line) => line.trim()), findings };
}

async function fillAndFree({ random, say, rounds = ROUNDS }: ScenarioOptions, folder: string): Promise<ScenarioResult> {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE_MB}m,mode=711`, "chaos", disk]);
  symlinkSync(disk, join(folder, "data"));
  const node = new ChaosNode({ folder, args: ["--lease-ms", "1500"] });
  const load = new Load({ target: node, random, name: "d", width: WIDTH });
  try {
    await node.start();
    await load.deploy();
    load.start();
    const seen = new Set<string>();
    for (let round = 1; round <= rounds; round += 1) {
      await load.settled(200);
      fill(join(disk, "ballast"));
      await waitUntil("the node notices that its disk is full", () => isFullIn(node.process.stdout), 20_000);
      if (round % 2 === 0) await exhaustWal(node.pgUrl);
      const before = load.ended;
      const isRefusing = async (): Promise<boolean> => {
        fill(join(disk, "ballast"));
        return !(await node.isReady());
      };
      await waitUntil("the node says that it is not ready", isRefusing, 30_000);
      const { text } = await node.ops("/readyz");
      for (const reason of reasonsIn(node.process.stdout)) seen.add(reason);
      say(`round ${round}: full; ${load.ended - before} orders settled meanwhile; /readyz says 503 ${text.slice(0, 200)}`);
      rmSync(join(disk, "ballast"));
      const free = load.ended;
      await waitUntil("the node says that it is ready", () => node.isReady(), 60_000);
      await waitUntil("runs end again", () => load.ended > free + WIDTH, 60_000);
    }
    const result = await settleAndAudit(node, folder, load, [
      `${rounds} times full, each time /readyz said 503 and the gateway NOT_SERVING, then 200 and SERVING`,
      ...[...seen].map((reason) => `the log said: ${reason}`),
    ]);
    return result;
  } catch (error) {
    const log = readFileSync(join(disk, "postgres.log"), "utf8").slice(-1_500);
    throw new Error(`${messageOf(error)}\n${load.ended} orders settled\n${node.process.stdout.slice(-3_000)}\n${log}`);
  } finally {
    node.process.kill("SIGKILL");
    process.kill(postmasterOf(join(folder, "data")), "SIGKILL");
    execFileSync("umount", ["--lazy", disk]);
  }
}

/** Uses the write-ahead log's files up, so that the next one can't be made: then the server itself goes down, and can't come up as long as the disk is full. */
async function exhaustWal(pgUrl: string): Promise<void> {
  const text = "SELECT pg_logical_emit_message(false, 'chaos', 'x'), pg_switch_wal()";
  const isDown = (): Promise<boolean> =>
    execute(pgUrl, text).then(
      () => false,
      () => true,
    );
  await waitUntil("the server's end for want of space", isDown, 30_000);
}

/** Takes all the space that there is. */
function fill(file: string): void {
  try {
    while (statfsSync(file.slice(0, file.lastIndexOf("/"))).bavail > 0) appendFileSync(file, BLOCK);
  } catch (error) {
    if (!messageOf(error).includes("ENOSPC")) throw error;
  }
}

function isFullIn(log: string): boolean {
  return reasonsIn(log).length > 0;
}

/** What the node's log says about it: what failed, and why, without the names of files and the times. */
function reasonsIn(log: string): string[] {
  const complete = log.slice(0, log.lastIndexOf("\n")).split("\n");
  const lines = complete
    .filter((line) => line.includes('"reason"'))
    .map((line) => JSON.parse(line) as { readonly msg: string; readonly reason: string });
  const full = lines.filter(({ reason }) => /No space left|recovery|exit code|signal/.test(reason));
  return [...new Set(full.map(({ msg, reason }) => `${msg}: ${reason.replaceAll(/base\/\d+\/\d+|127[.\d:]+\S*/g, "...")}`))];
}
