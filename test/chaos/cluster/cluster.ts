/**
 * Three real nodes under faults of every sort, alone and two at a time, with clients at all gateways: nothing acknowledged may be lost, no stale row written,
 * no client troubled by what happens to a node that it did not ask, and the world told of everything.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../runtime/clock.ts";
import { type Random, seededRandom } from "../../../runtime/random.ts";
import { PgDatabase } from "../../../runtime/storage/pg-database.ts";
import { eventsOfJournal } from "../../support/told-events.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { countsOf } from "../audit.ts";
import { checkResultsOnce } from "../checkers/histories.ts";
import { type Call, Load, type LoadTarget } from "../load.ts";
import { finish, quiesce, type Scenario, type ScenarioOptions, type ScenarioResult, withFolder } from "../scenario.ts";
import { KINDS } from "../workflows.ts";
import { judgeEvents } from "./checkers/events.ts";
import { checkStaleRows } from "./checkers/owners.ts";
import { auditCluster } from "./cluster-audit.ts";
import { type ClusterEvidence, readClusterEvidence } from "./cluster-evidence.ts";
import { failoversOf, inSeconds, longestStall, spreadOf } from "./figures.ts";
import { HOG, MARCH, ORDERED } from "./kinds.ts";
import type { Member } from "./member.ts";
import { plantInCluster } from "./plants.ts";
import { ALL, FEW, Timetable } from "./timetable.ts";
import { Town } from "./town.ts";
import { readWrittenRows } from "./write-log.ts";

const MINUTES = 2;
/** Runs under way at a time for each gateway, and the longest rest between two. */
const WIDTH = 16;
const REST_MS = 1_000;
const SHORT_LEASE_MS = 1_500;
const SHORT_MS = 4_000;
/** Longest time for the last events, in milliseconds, and from one look to the next. */
const EVENTS_MS = 60_000;
const LOOK_MS = 500;
const CLOCK = systemClock();

/** For `minutes`, with default settings. */
export const cluster: Scenario = (options) => withFolder((folder) => play(options, folder, false));

/** Each of a few nemeses once, briefly, with a short lease, and with nothing that needs root. */
export const clusterBriefly: Scenario = (options) => withFolder((folder) => play(options, folder, true));

/** Clients that ask one node first, and another while that one is down. */
class Home implements LoadTarget {
  readonly #member: Member;
  readonly #members: readonly Member[];

  constructor(member: Member, members: readonly Member[]) {
    this.#member = member;
    this.#members = members;
  }

  address(): Promise<string> {
    const asked = this.#member.isUp ? this.#member : this.#members.find(({ isUp }) => isUp);
    return (asked ?? this.#member).node.address();
  }
}

async function play(options: ScenarioOptions, folder: string, isBrief: boolean): Promise<ScenarioResult> {
  const random = seededRandom(options.random.uint32());
  const town = await Town.open({ folder, random, leaseMs: isBrief ? SHORT_LEASE_MS : undefined, hasNamespaces: !isBrief });
  try {
    const calls: Call[] = [];
    const loads = town.members.map((member) => loadOf(town, member, options.random, calls));
    await loads[0]?.deploy([...KINDS, MARCH, HOG]);
    for (const load of loads) load.start();
    const timetable = new Timetable({
      ...{ town, random, nemeses: isBrief ? FEW : ALL, overlaps: !isBrief },
      mostMs: isBrief ? SHORT_MS : Number.POSITIVE_INFINITY,
      load: (member) => loads[town.members.indexOf(member)] as Load,
      say: options.say,
    });
    const endMs = CLOCK.monotonic() + (options.minutes ?? MINUTES) * 60_000;
    await timetable.run(() => isBrief || CLOCK.monotonic() < endMs);
    options.say("healed");
    const late = await settle(town, loads);
    options.say("settled");
    const evidence = await readClusterEvidence(
      town,
      folder,
      loads.flatMap(({ orders }) => orders),
      calls,
    );
    const found = [...late, ...town.members.flatMap((member) => member.findings), ...auditCluster(evidence)];
    // Where nothing was found, the checkers show that they would have spoken up.
    const plants = found.length === 0 ? plantInCluster(evidence) : undefined;
    const findings = [...found, ...(plants?.missed ?? [])];
    await town.close();
    if (findings.length > 0) keep(folder, evidence, town.members);
    const noticed =
      plants === undefined ? [] : [`${plants.planted} bugs were planted in this evidence, ${plants.planted - plants.missed.length} were noticed`];
    return { summary: [...summaryOf(town, timetable, evidence), ...noticed], findings };
  } finally {
    await town.destroy();
  }
}

function loadOf(town: Town, member: Member, random: Random, calls: Call[]): Load {
  const options = { width: WIDTH, restMs: REST_MS, kinds: ORDERED, record: (call: Call) => void calls.push(call) };
  return new Load({ ...options, target: new Home(member, town.members), random: seededRandom(random.uint32()), name: member.name });
}

/** Waits until nothing is under way, in the nodes and on the way to the world; answers what did not end. */
async function settle(town: Town, loads: readonly Load[]): Promise<string[]> {
  await town.ready();
  const stuck = (await Promise.all(loads.map((load) => finish(load)))).filter((text) => text !== undefined);
  const late = stuck.length > 0 ? undefined : await quiesce(town.pg.url);
  return [...stuck, ...(late === undefined ? [] : [late]), ...(await untold(town))];
}

/** Waits until nothing is missing of what was published; answers that this took too long. What is missing the audit tells. */
async function untold(town: Town): Promise<string[]> {
  const database = new PgDatabase({ url: town.pg.url, applicationName: "chaos-audit" });
  try {
    const [written, expected] = [await readWrittenRows(database), await eventsOfJournal(town.pg.url, "runs")];
    const isTold = async (): Promise<boolean> => {
      await town.told.catchUp();
      const { sources, gaps } = town.told;
      if (judgeEvents({ expected, sources, gaps, written }).missing === 0) return true;
      await town.pause(LOOK_MS);
      return false;
    };
    await waitUntil("all events to be published", isTold, EVENTS_MS);
    return [];
  } catch (error) {
    return [String(error)];
  } finally {
    await database.close();
  }
}

/** What people need who look into a finding. */
function keep(folder: string, { calls, windows, acquisitions }: ClusterEvidence, members: readonly Member[]): void {
  const lines = (items: readonly object[]): string => items.map((item) => `${JSON.stringify(item)}\n`).join("");
  writeFileSync(join(folder, "calls.jsonl"), lines(calls));
  writeFileSync(join(folder, "windows.jsonl"), lines(windows));
  writeFileSync(join(folder, "acquisitions.jsonl"), lines(acquisitions));
  for (const { name, log } of members) writeFileSync(join(folder, `${name}.log`), log);
}

function summaryOf(town: Town, timetable: Timetable, evidence: ClusterEvidence): string[] {
  const { members } = town;
  const acknowledged = evidence.orders.flatMap((order) => [...order.acknowledged]);
  const stored = new Set<string>(evidence.runs.map(({ id }) => id));
  const { missing, excused } = judgeEvents(evidence);
  const events = [...evidence.expected.values()].reduce((sum, own) => sum + own.length, 0);
  const failed = Map.groupBy(
    evidence.calls.filter(({ failure }) => failure !== undefined),
    ({ failure }) => failure,
  );
  const kills = failoversOf(evidence, members, "kill");
  const stops = failoversOf(evidence, members, "stop");
  const { healthy, all } = longestStall(evidence);
  return [
    countsOf(evidence),
    `strikes: ${[...timetable.strikes].map(([name, count]) => `${name} ${count}`).join(", ")}; ${town.means}`,
    `failover after a kill alone: ${spreadOf(kills.alone)}; with other trouble: ${spreadOf(kills.joined)}`,
    `failover after a standstill alone: ${spreadOf(stops.alone)}; with other trouble: ${spreadOf(stops.joined)}`,
    `rows: ${evidence.written.length}, stale: ${checkStaleRows(evidence).length}; nodes that were fenced and started again: ${members.reduce((sum, member) => sum + member.fencings, 0)}`,
    `acknowledged: ${acknowledged.length}, lost: ${acknowledged.filter((id) => !stored.has(id)).length}, results twice: ${checkResultsOnce(evidence).length}`,
    `events: ${events}, missing: ${missing}, fallen into a wipe of NATS: ${excused}`,
    `calls: ${evidence.calls.length}, failed and got over: ${[...failed].map(([code, list]) => `${code} ${list.length}`).join(", ") || "none"}`,
    `longest call that does not wait for an end, at a gateway without trouble: ${inSeconds(healthy.durationMs)} s (${healthy.what}); at any: ${inSeconds(all.durationMs)} s (${all.what})`,
  ];
}
