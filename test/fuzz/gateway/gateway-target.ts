/**
 * Every method of the gateway. Whatever arrives: each call ends, as the contract says; the server stays up and serves the next valid call; nothing stays
 * open and the heap does not grow.
 */
import assert from "node:assert/strict";
import type { Runs } from "../../../actors/runs.ts";
import { connect } from "../../../gateway/grpc-client.ts";
import { ExecuteResponse } from "../../../proto/gen/maestro/v1/run_service.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { HeapGuard } from "../heap.ts";
import { shownText, smallerLists } from "../reduce.ts";
import { eachCase, type FuzzTarget, Tally } from "../target.ts";
import { openNodeWorld } from "./node-world.ts";
import { anyScenario, type Scenario } from "./scenario.ts";
import { reasonIn, verdictOn } from "./verdict.ts";
import { Wire, type WireCall, type WireStatus } from "./wire.ts";
import { type HostileWorld, openHostileWorld } from "./world.ts";

const GROWTH_MAX = 24 * 1024 * 1024;
/** Ids of runs are stood in for by their number, so that a seed makes the same case on any server. */
const PLACES = Array.from({ length: 6 }, (_, at) => `0198aaaa-bbbb-7ccc-8ddd-00000000000${at}`);

/** The target with fake runs. `change` replaces the runs that the gateway sees. */
export async function gatewayTarget(change?: (runs: Runs) => Runs): Promise<FuzzTarget<Scenario>> {
  return targetOn("gateway", await openHostileWorld(change));
}

/** The target with a whole node behind the gateway. */
export async function nodeTarget(): Promise<FuzzTarget<Scenario>> {
  return targetOn("node", await openNodeWorld());
}

function targetOn(name: string, world: HostileWorld): FuzzTarget<Scenario> {
  const shared = new Wire(world.address);
  const tally = new Tally();
  const heap = new HeapGuard(GROWTH_MAX);
  const checkEach = eachCase<Scenario>(async (scenario) => {
    // What breaks the rules of HTTP/2 may break the connection, which is then its own.
    const wire = scenario.isBeyondGrpc ? new Wire(world.address) : shared;
    tally.add(await perform(world, wire, scenario));
    if (wire !== shared) await wire.close();
    assert.deepEqual(world.broken.splice(0), [], "no error that no code says");
  });
  return {
    name,
    width: 50,
    batchMs: 10_000,
    generate: (chance) => anyScenario(chance, { runIds: PLACES }),
    async check(scenarios) {
      await Promise.all([shared.renew(), world.renew()]);
      return checkEach(scenarios);
    },
    smaller: (scenario) => [...smallerLists(scenario.steps)].map((steps) => ({ ...scenario, steps })),
    show: ({ path, headers, steps }) => `${path} ${JSON.stringify(headers)} ${shownText(steps.map(stepText).join(" "))}`,
    async settle() {
      await settled(world);
      heap.check();
    },
    outcomes: () => String(tally),
    async close() {
      await shared.close();
      await world.close();
    },
  };
}

function stepText(step: Scenario["steps"][number]): string {
  return step.kind === "write" ? step.bytes.toString("hex") : step.kind;
}

async function perform(world: HostileWorld, wire: Wire, scenario: Scenario): Promise<string> {
  const call = begun(wire, scenario);
  if (call === undefined) return "not sent";
  for (const step of scenario.steps) {
    if (call.stream.closed) break;
    if (step.kind === "write") call.stream.write(withRealIds(step.bytes, world));
    if (step.kind === "halfClose") call.stream.end();
    if (step.kind === "cancel") call.stream.close(8);
    if (step.kind === "turn") await new Promise((resolve) => setImmediate(resolve));
  }
  const end = await call.ended;
  checkAnswers(scenario, end);
  return verdictOn(scenario, end);
}

/** Undefined if the client's own HTTP/2 refuses to send the headers. */
function begun(wire: Wire, { path, headers }: Scenario): WireCall | undefined {
  try {
    return wire.call(path, headers);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function withRealIds(bytes: Buffer, world: HostileWorld): Buffer {
  const at = bytes.indexOf("0198aaaa-bbbb");
  if (at < 0) return bytes;
  const real = world.runIds[PLACES.indexOf(bytes.subarray(at, at + 36).toString())];
  return real === undefined ? bytes : Buffer.concat([bytes.subarray(0, at), Buffer.from(real), bytes.subarray(at + 36)]);
}

/** Each answer of an Execute stream is a run's end, or a mistake with a code of the registry. */
function checkAnswers(scenario: Scenario, end: WireStatus): void {
  if (!scenario.path.endsWith("/Execute")) return;
  for (const bytes of end.answers) {
    const { result } = ExecuteResponse.decode(bytes);
    assert.ok(result !== undefined, "an answer says what came of the request");
    if (result.$case === "error") reasonIn(result.value, result.value.code);
  }
}

async function settled(world: HostileWorld): Promise<void> {
  await waitUntil("no call to be open", () => world.waitingCalls === 0 && world.isIdle, 3_000);
  const client = connect(world.address, { timeoutMs: 5_000 });
  try {
    const outcome = await client.execute({ workflow: "echo", input: '{"n":1}' });
    assert.equal(outcome.output, '{"n":1}', "a valid call is served");
  } finally {
    client.close();
  }
}
