/**
 * The storage of a node as stages: the server (its own, or the one of a URL), the schema, the ownership, the stores. Nothing here decides
 * anything about runs.
 */
import { join, resolve } from "node:path";
import type { Clock } from "../runtime/clock.ts";
import { LeaseRenewal } from "../runtime/cluster/lease-renewal.ts";
import { DIALECT } from "../runtime/dialect.ts";
import { MaestroError } from "../runtime/errors.ts";
import type { EventHub } from "../runtime/events.ts";
import type { BootId } from "../runtime/ids.ts";
import type { Random } from "../runtime/random.ts";
import { openDataFolder } from "../runtime/storage/data-folder.ts";
import type { DocumentStore } from "../runtime/storage/documents.ts";
import { startEmbeddedPg } from "../runtime/storage/embedded-pg.ts";
import type { EventCheckpoints } from "../runtime/storage/event-checkpoints.ts";
import { FsObjectStore } from "../runtime/storage/fs-object-store.ts";
import { HeldShards } from "../runtime/storage/held-shards.ts";
import type { Journal } from "../runtime/storage/journal.ts";
import type { Joined, Ownership } from "../runtime/storage/ownership.ts";
import { openPgDocuments } from "../runtime/storage/pg-documents.ts";
import { openPgEventCheckpoints } from "../runtime/storage/pg-event-checkpoints.ts";
import { openPgJournal } from "../runtime/storage/pg-journal.ts";
import { migrate } from "../runtime/storage/pg-migrate.ts";
import { refersToObjects } from "../runtime/storage/pg-object-use.ts";
import { openPgOwnership } from "../runtime/storage/pg-ownership.ts";
import { openPgRetention } from "../runtime/storage/pg-retention.ts";
import { requireSafeSettings } from "../runtime/storage/pg-settings.ts";
import { openPgTaskLedger } from "../runtime/storage/pg-task-ledger.ts";
import { openPgTaskSlots } from "../runtime/storage/pg-task-slots.ts";
import { RetentionSweeper } from "../runtime/storage/retention-sweeper.ts";
import type { ShardSet } from "../runtime/storage/shard-set.ts";
import type { TaskLedger } from "../runtime/storage/task-ledger.ts";
import type { TaskSlots } from "../runtime/storage/task-slots.ts";
import type { Config } from "./config.ts";
import type { Stage } from "./lifecycle.ts";
import { programVersion } from "./program-version.ts";
import { SETTINGS } from "./settings.ts";

/** Recovery of a large database after a crash takes minutes, and must not be cut short. */
const DATABASE_START_MS = 330_000;
const DATABASE_STOP_MS = 75_000;
/** Another node's migration, or its last commits, may have to be waited for. */
const JOIN_MS = 120_000;

const DAY_MS = 86_400_000;

/** What the stages need. */
export interface NodeStorageOptions {
  readonly config: Config;
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  /** Another boot took over. */
  onLost(): void;
}

/** The storage of one boot. Its parts are there once their stage has started. */
export class NodeStorage {
  readonly #options: NodeStorageOptions;
  #url: string | undefined;
  #joined: Joined | undefined;
  #ownershipTable: Ownership | undefined;
  #renewal: LeaseRenewal | undefined;
  #held: HeldShards | undefined;
  #journal: Journal | undefined;
  #documents: DocumentStore | undefined;
  #ledger: TaskLedger | undefined;
  #taskSlots: TaskSlots | undefined;
  #isUnsettled = false;

  constructor(options: NodeStorageOptions) {
    this.#options = options;
  }

  /** The journal of this boot. */
  get journal(): Journal {
    return started(this.#journal, "stores");
  }

  /** The shards that this boot holds now, for its journal. */
  get held(): HeldShards {
    return started(this.#held, "stores");
  }

  /** The ownership table. */
  get ownership(): Ownership {
    return started(this.#ownershipTable, "ownership");
  }

  /** What this boot got as it joined. */
  get joined(): Joined {
    return started(this.#joined, "ownership");
  }

  /** The renewal of this boot's lease, from its join until its stores have stopped. */
  get renewal(): LeaseRenewal {
    return started(this.#renewal, "ownership");
  }

  /** The shards that this boot got at its start from one that ended without giving them up. */
  get bereft(): ShardSet {
    return started(this.#joined, "ownership").bereft;
  }

  /** Has this boot end as if it were lost, so that the next one repeats what it could not finish of its recovery. */
  endAsLost(): void {
    this.#isUnsettled = true;
  }

  /** The store of workflow documents. */
  get documents(): DocumentStore {
    return started(this.#documents, "stores");
  }

  /** The ledger of task attempts. */
  get ledger(): TaskLedger {
    return started(this.#ledger, "stores");
  }

  /** The slots of concurrency keys. */
  get taskSlots(): TaskSlots {
    return started(this.#taskSlots, "stores");
  }

  /** Opens the marks of what is published. */
  openEventCheckpoints(): Promise<EventCheckpoints> {
    return openPgEventCheckpoints({ url: started(this.#url, "database"), events: this.#options.events });
  }

  /** The stages, in order of their start. */
  stages(): readonly Stage[] {
    return [this.#database(), this.#schema(), this.#ownership(), this.#stores()];
  }

  #database(): Stage {
    const { config, clock, random, events } = this.#options;
    let stop = (): Promise<void> => Promise.resolve();
    return {
      name: "database",
      startTimeoutMs: DATABASE_START_MS,
      stopTimeoutMs: DATABASE_STOP_MS,
      start: async () => {
        if (config.pgUrl === undefined) {
          const server = await startEmbeddedPg({ folder: config.dataFolder, clock, random, events });
          stop = () => server.stop();
          this.#url = server.url;
        } else this.#url = config.pgUrl;
        try {
          await requireSafeSettings(this.#url);
        } catch (error) {
          await stop();
          throw error;
        }
      },
      stop: () => stop(),
    };
  }

  #schema(): Stage {
    return { name: "schema", startTimeoutMs: JOIN_MS, start: async () => void (await migrate(started(this.#url, "database"))) };
  }

  #ownership(): Stage {
    const { bootId, config, clock, events, onLost } = this.#options;
    const { nodeName, lanes, leaseMs, natsUrl, roles } = config;
    let stop = (): Promise<void> => Promise.resolve();
    return {
      name: "ownership",
      startTimeoutMs: JOIN_MS,
      start: async () => {
        const ownership = await openPgOwnership({ url: started(this.#url, "database"), events });
        stop = () => ownership.close();
        try {
          // Nodes of two names need a bus between them; without one this node keeps others out, and is kept out.
          const isAlone = natsUrl === undefined;
          const request = { bootId, nodeName, lanes, leaseMs, roles, programVersion: programVersion(), dialect: DIALECT, isAlone };
          // Others must hand over nothing before the rest of the node has started; its membership says when that is.
          this.#joined = await ownership.join({ ...request, isStarting: !isAlone });
        } catch (error) {
          await stop();
          throw error;
        }
        this.#ownershipTable = ownership;
        const renewal = new LeaseRenewal({ ownership, bootId, leaseMs, clock, events, onLost });
        this.#renewal = renewal;
        renewal.start();
        stop = async () => {
          await renewal.stop();
          if (!this.#isUnsettled) await ownership.leave(bootId);
          await ownership.close();
        };
      },
      stop: () => stop(),
    };
  }

  #stores(): Stage {
    const { bootId, config, clock, random, events } = this.#options;
    let close: (() => Promise<void>)[] = [];
    const folder = objectsFolderOf(config);
    const objects = folder === undefined ? undefined : new FsObjectStore(folder, random);
    return {
      name: "stores",
      start: async () => {
        // A folder that somebody named must be there before anything is acknowledged: it may be a share that is not mounted.
        if (config.objectsFolder !== undefined) await openDataFolder(resolve(config.objectsFolder), clock, random);
        const url = started(this.#url, "database");
        if (objects === undefined && (await refersToObjects(url))) throw missingFolder();
        const held = new HeldShards(started(this.#joined, "ownership").shards);
        const documents = await openPgDocuments({ url, events });
        const ledger = await openPgTaskLedger({ url, bootId, clock, events });
        const journal = await openPgJournal({ url, bootId, held, lanes: config.lanes, clock, random, events, objects });
        const retention = await openPgRetention({ url, objects, events });
        const sweeper = new RetentionSweeper({ retention, keepMs: config.retentionDays * DAY_MS, clock, events });
        if (config.retentionDays > 0) sweeper.start();
        const stopRetention = (): Promise<void> => sweeper.stop().then(() => retention.close());
        const taskSlots = openPgTaskSlots({ url, events });
        close = [() => journal.close(), () => ledger.close(), () => taskSlots.close(), () => documents.close(), stopRetention];
        this.#documents = documents;
        this.#ledger = ledger;
        this.#taskSlots = taskSlots;
        this.#held = held;
        this.#journal = journal;
      },
      stop: async () => {
        await Promise.all(close.map((closeOne) => closeOne()));
      },
    };
  }
}

/**
 * Where the largest payloads are kept; undefined: in the database. A node with a database of its own has its data folder for them. With somebody
 * else's database another node could not read them there, unless a folder is named that all have.
 */
function objectsFolderOf({ objectsFolder, pgUrl, dataFolder }: Config): string | undefined {
  if (objectsFolder !== undefined) return resolve(objectsFolder);
  return pgUrl === undefined ? join(dataFolder, "objects") : undefined;
}

/** Runs that have objects could not be read, and would be set aside one after the other. */
function missingFolder(): MaestroError {
  const description = "must be set: the database has payloads that are kept in a folder of objects";
  const violations = [{ field: SETTINGS.objectsFolder.env, description }];
  return new MaestroError("CONFIG_INVALID", { facts: { problems: `${SETTINGS.objectsFolder.env} ${description}` }, violations });
}

/** The part that a stage made. @throws Error if the stage has not started: the stages are in the wrong order. */
export function started<T>(part: T | undefined, stage: string): T {
  if (part === undefined) throw new Error(`the stage "${stage}" has not started`);
  return part;
}
