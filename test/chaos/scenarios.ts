/**
 * The crash tests by name.
 */

import { cluster, clusterBriefly } from "./cluster/cluster.ts";
import { diskFull } from "./disk-full.ts";
import { everyWrite } from "./every-write.ts";
import { everyWriteProcess } from "./every-write-process.ts";
import { kill, killExternal } from "./kill.ts";
import { plants } from "./plants.ts";
import { postgres, postgresEmbedded } from "./postgres.ts";
import type { Scenario } from "./scenario.ts";
import { stall } from "./stall.ts";
import { tasks } from "./tasks.ts";
import { unknownOutcome } from "./unknown-outcome.ts";

/** All of them, in the order in which they are run. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  kill,
  "kill-external": killExternal,
  "every-write": everyWrite,
  "every-write-process": everyWriteProcess,
  postgres,
  "postgres-embedded": postgresEmbedded,
  "unknown-outcome": unknownOutcome,
  "disk-full": diskFull,
  tasks,
  stall,
  "cluster-briefly": clusterBriefly,
  cluster,
  plants,
};
