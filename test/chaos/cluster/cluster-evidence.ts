/**
 * Everything that the audit of the cluster's crash test judges: the evidence of a single node's, and who owned, who wrote, who called and who was told.
 */
import { type BootId, shardOf } from "../../../runtime/ids.ts";
import { PgDatabase } from "../../../runtime/storage/pg-database.ts";
import { eventsOfJournal } from "../../support/told-events.ts";
import { effectsFile } from "../chaos-node.ts";
import { type Evidence, type Excuses, readEvidence } from "../evidence.ts";
import type { Call } from "../load.ts";
import type { Order } from "../order.ts";
import type { CallEvidence } from "./checkers/calls.ts";
import type { EventEvidence } from "./checkers/events.ts";
import type { OwnerEvidence } from "./checkers/owners.ts";
import type { Town } from "./town.ts";
import { type Acquisition, readAcquisitions, readWrittenRows } from "./write-log.ts";

/** What is judged. */
export type ClusterEvidence = Evidence & OwnerEvidence & CallEvidence & EventEvidence;

/** Reads the evidence. Nothing may be under way. */
export async function readClusterEvidence(town: Town, folder: string, orders: readonly Order[], calls: readonly Call[]): Promise<ClusterEvidence> {
  const pgUrl = town.pg.url;
  const boots = town.members.flatMap(({ node }) => node.boots);
  const evidence = await readEvidence({ pgUrl, effects: effectsFile(folder), orders, boots });
  const database = new PgDatabase({ url: pgUrl, applicationName: "chaos-audit" });
  try {
    const acquisitions = await readAcquisitions(database);
    return {
      ...evidence,
      ...{ acquisitions, calls, excuses: excusesOf(town, acquisitions) },
      written: await readWrittenRows(database),
      gateways: new Map(town.members.flatMap(({ name, addresses }) => [...addresses].map((address) => [address, name]))),
      windows: town.windows.list,
      expected: await eventsOfJournal(pgUrl, "runs"),
      sources: town.told.sources,
      gaps: town.told.gaps,
    };
  } finally {
    await database.close();
  }
}

/**
 * A node that had a shard and lost it may have begun what others execute again, but nothing that was scheduled after its loss. A thread of a node
 * dies only of a task that was ordered to kill it.
 */
function excusesOf({ members, windows }: Town, acquisitions: readonly Acquisition[]): Excuses {
  const boots = new Map(members.flatMap(({ named }) => named.map(({ pid, boot }) => [pid, boot])));
  const nodes = new Map(members.flatMap(({ name, named }) => named.map(({ pid }) => [pid, name])));
  const owners = Map.groupBy(acquisitions, ({ shard }) => shard);
  const harmful = windows.list.filter(({ what }) => what === "heap");
  return {
    isCut: (pid, run, { scheduledAtMs, endedAtMs }) => {
      const boot = boots.get(pid) as BootId;
      const had = (owners.get(shardOf(run)) ?? []).filter(({ atMs }) => atMs <= endedAtMs);
      const own = had.findIndex((acquisition) => acquisition.boot === boot);
      return own >= 0 && had.slice(own).some((acquisition) => acquisition.boot !== boot && acquisition.atMs >= scheduledAtMs);
    },
    mayRepeat: (pid, untilMs) => harmful.some(({ node, fromMs }) => node === nodes.get(pid) && fromMs <= untilMs),
  };
}
