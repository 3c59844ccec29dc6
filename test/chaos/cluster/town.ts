/**
 * Three nodes with one PostgreSQL and one NATS server, all in processes of their own, and the lines between them. Owns all of it, and the record of who had
 * trouble when.
 */
import { join } from "node:path";
import { systemClock } from "../../../runtime/clock.ts";
import type { Random } from "../../../runtime/random.ts";
import { pause } from "../../../runtime/storage/pause.ts";
import { migrate } from "../../../runtime/storage/pg-migrate.ts";
import { type NatsServer, startNatsServer } from "../../support/nats-server.ts";
import { PgServer } from "../pg-server.ts";
import { Line, type Way } from "./line.ts";
import { Member } from "./member.ts";
import { Namespaces, type ServerName } from "./namespaces.ts";
import { Told } from "./told.ts";
import { Windows } from "./windows.ts";
import { installWriteLog } from "./write-log.ts";

/** How a cluster is made. */
export interface TownOptions {
  readonly folder: string;
  readonly random: Random;
  /** Milliseconds; undefined: what nodes have by default. */
  readonly leaseMs: number | undefined;
  /** Nodes live in network namespaces of their own if the machine allows it. */
  readonly hasNamespaces: boolean;
}

const NODES = 3;
/** A heap that a task can fill soon. */
const HEAP = "--max-old-space-size=256";
const LOOPBACK = "127.0.0.1";
const CLOCK = systemClock();

/** See the file header. */
export class Town {
  readonly windows = new Windows();
  readonly members: Member[] = [];
  readonly pg: PgServer;
  readonly nats: NatsServer;
  readonly told: Told;
  readonly #namespaces: Namespaces | undefined;
  readonly #lines = new Map<string, Line>();

  private constructor(pg: PgServer, nats: NatsServer, told: Told, namespaces: Namespaces | undefined) {
    this.pg = pg;
    this.nats = nats;
    this.told = told;
    this.#namespaces = namespaces;
  }

  /** Starts everything; resolves when all nodes are ready and have their shards. */
  static async open({ folder, random, leaseMs, hasNamespaces }: TownOptions): Promise<Town> {
    const [pg, nats] = await Promise.all([PgServer.open(join(folder, "server")), startNatsServer({ hasJetStream: true })]);
    const town = new Town(pg, nats, await Told.open(nats.url), hasNamespaces ? Namespaces.open(NODES, random) : undefined);
    try {
      await pg.start();
      await migrate(pg.url);
      await installWriteLog(pg.url);
      for (let index = 1; index <= NODES; index += 1) await town.#settle(index, folder, leaseMs);
      return town;
    } catch (error) {
      await town.destroy();
      throw error;
    }
  }

  /** How a line is cut here, for people. */
  get means(): string {
    return this.#namespaces === undefined ? "lines cut by proxies" : "lines cut by a router between network namespaces";
  }

  /** Cuts a node off from a server, and from nothing else; what is answered mends it. */
  cut(member: Member, server: ServerName, way: Way): () => void {
    const index = this.members.indexOf(member) + 1;
    if (this.#namespaces === undefined) {
      this.line(member, server).cut(way);
      return () => this.line(member, server).mend();
    }
    this.#namespaces.cut(index, server, way);
    return () => this.#namespaces?.mend(index, server, way);
  }

  /** The line from a node to a server. */
  line(member: Member, server: ServerName): Line {
    const line = this.#lines.get(`${member.name} ${server}`);
    if (line === undefined) throw new Error(`there is no line from ${member.name} to ${server}`);
    return line;
  }

  /** Resolves after some time that means nothing to the product. */
  pause(durationMs: number): Promise<void> {
    return pause(durationMs, CLOCK);
  }

  /** Waits until all nodes say that they are ready. */
  async ready(): Promise<void> {
    await Promise.all(this.members.map((member) => member.ready()));
  }

  /** Stops the nodes in order. */
  async close(): Promise<void> {
    for (const member of this.members) await member.close();
  }

  /** Ends whatever is left. */
  async destroy(): Promise<void> {
    for (const { node } of this.members) node.process.kill("SIGKILL");
    await Promise.all([...this.#lines.values()].map((line) => line.close()));
    await this.told.close();
    await Promise.all([this.pg.stop("immediate"), this.nats.close()]);
    this.#namespaces?.close();
  }

  async #settle(index: number, folder: string, leaseMs: number | undefined): Promise<void> {
    const name = `n${index}`;
    const url = new URL(this.pg.url);
    const postgres = await this.#open(name, "postgres", Number(url.port));
    const nats = await this.#open(name, "nats", this.nats.port);
    [url.hostname, url.port] = [postgres.host, String(postgres.port)];
    const lease = leaseMs === undefined ? [] : ["--lease-ms", String(leaseMs)];
    const place = this.#namespaces === undefined ? {} : { host: this.#namespaces.node(index), prefix: this.#namespaces.prefix(index) };
    const member = new Member(name, {
      ...{ folder, pgUrl: url.href, env: { NODE_OPTIONS: HEAP }, ...place },
      args: ["--nats", `nats://${nats.host}:${nats.port}`, ...lease],
    });
    this.members.push(member);
    await member.open();
  }

  async #open(name: string, server: ServerName, port: number): Promise<{ readonly host: string; readonly port: number }> {
    const line = await Line.open({ host: LOOPBACK, port }, this.#namespaces?.server(server) ?? LOOPBACK);
    this.#lines.set(`${name} ${server}`, line);
    return line.end;
  }
}
