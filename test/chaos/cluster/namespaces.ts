/**
 * Network namespaces of Linux: each node on a machine of its own as far as its network can tell, and a router between them and the servers, which can be told
 * to drop what goes from one address to another, silently, as a broken network does. Needs root and `ip`. Owns what it makes, and removes what an earlier
 * process left behind.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Random } from "../../../runtime/random.ts";
import type { Way } from "./line.ts";

/** The servers of a cluster, each at an address of its own. */
export type ServerName = "postgres" | "nats";

const MARK = "maestro-chaos";
const SERVER_HOSTS: Readonly<Record<ServerName, number>> = { postgres: 1, nats: 2 };
/** Where whoever is no server calls from, so that a cut does not concern clients. */
const CLIENT_HOST = 3;
const ROUTER_HOST = 254;

/** The network. */
export class Namespaces {
  readonly #subnet: string;
  readonly #short: string;
  readonly #remove = (): void => this.close();

  private constructor(subnet: string, short: string) {
    this.#subnet = subnet;
    this.#short = short;
    process.once("exit", this.#remove);
  }

  /** Makes a network for `count` nodes; undefined where this can't be done: not root, no `ip`, or a kernel without namespaces. */
  static open(count: number, random: Random): Namespaces | undefined {
    if (process.getuid?.() !== 0 || !hasIp()) return undefined;
    removeLeftovers();
    const network = new Namespaces(`10.${64 + (random.uint32() % 128)}`, `mc${process.pid.toString(36)}`);
    try {
      network.#make(count);
      return network;
    } catch (error) {
      network.close();
      if (String(error).includes("not permitted")) return undefined;
      throw error;
    }
  }

  /** Address of a server, at which the runner listens. */
  server(name: ServerName): string {
    return `${this.#subnet}.0.${SERVER_HOSTS[name]}`;
  }

  /** Address of a node, counted from 1. */
  node(index: number): string {
    return `${this.#subnet}.${index}.1`;
  }

  /** What a command is put behind to run where a node is. */
  prefix(index: number): readonly string[] {
    return ["ip", "netns", "exec", this.#space(`n${index}`)];
  }

  /** Has the router drop what goes between a node and a server. */
  cut(index: number, server: ServerName, way: Way): void {
    for (const rule of this.#rules(index, server, way)) this.#inRouter("ip", "rule", "add", ...rule);
  }

  /** Undoes {@link cut}. */
  mend(index: number, server: ServerName, way: Way): void {
    for (const rule of this.#rules(index, server, way)) this.#inRouter("ip", "rule", "del", ...rule);
  }

  /** Removes it. */
  close(): void {
    process.removeListener("exit", this.#remove);
    for (const space of spaces().filter((name) => name.startsWith(`${MARK}-${process.pid}-`))) run("ip", "netns", "del", space);
  }

  #space(name: string): string {
    return `${MARK}-${process.pid}-${name}`;
  }

  #rules(index: number, server: ServerName, way: Way): string[][] {
    const there = ["from", this.node(index), "to", this.server(server), "blackhole"];
    const back = ["from", this.server(server), "to", this.node(index), "blackhole"];
    return way === "both" ? [there, back] : [way === "there" ? there : back];
  }

  #inRouter(...command: string[]): void {
    run("ip", "netns", "exec", this.#space("router"), ...command);
  }

  #make(count: number): void {
    const router = this.#space("router");
    run("ip", "netns", "add", router);
    this.#inRouter("sysctl", "-qw", "net.ipv4.ip_forward=1");
    this.#pair(`${this.#short}r`, undefined, `${this.#short}h`, router);
    for (const host of [CLIENT_HOST, ...Object.values(SERVER_HOSTS)])
      run("ip", "addr", "add", `${this.#subnet}.0.${host}/24`, "dev", `${this.#short}r`);
    this.#inRouter("ip", "addr", "add", `${this.#subnet}.0.${ROUTER_HOST}/24`, "dev", `${this.#short}h`);
    for (let index = 1; index <= count; index += 1) this.#makeNode(index, router);
  }

  #makeNode(index: number, router: string): void {
    const space = this.#space(`n${index}`);
    run("ip", "netns", "add", space);
    this.#pair(`${this.#short}n${index}`, space, `${this.#short}h${index}`, router);
    const gateway = `${this.#subnet}.${index}.${ROUTER_HOST}`;
    this.#inRouter("ip", "addr", "add", `${gateway}/24`, "dev", `${this.#short}h${index}`);
    const inside = (...command: string[]): void => run("ip", "netns", "exec", space, "ip", ...command);
    inside("link", "set", "lo", "up");
    inside("addr", "add", `${this.node(index)}/24`, "dev", `${this.#short}n${index}`);
    inside("route", "add", "default", "via", gateway);
    const ours = `${this.#subnet}.0.${ROUTER_HOST}`;
    run("ip", "route", "add", `${this.#subnet}.${index}.0/24`, "via", ours, "src", `${this.#subnet}.0.${CLIENT_HOST}`);
  }

  /** A cable between two namespaces; `undefined` is the runner's own. */
  #pair(name: string, space: string | undefined, other: string, router: string): void {
    run("ip", "link", "add", name, "type", "veth", "peer", "name", other);
    run("ip", "link", "set", other, "netns", router);
    this.#inRouter("ip", "link", "set", other, "up");
    if (space === undefined) return run("ip", "link", "set", name, "up");
    run("ip", "link", "set", name, "netns", space);
    run("ip", "netns", "exec", space, "ip", "link", "set", name, "up");
  }
}

function hasIp(): boolean {
  if (["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"].some((path) => existsSync(path))) return true;
  try {
    execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "iproute2"], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

/** Namespaces of runners that are gone. Their cables vanish with them. */
function removeLeftovers(): void {
  for (const space of spaces()) {
    const pid = space.split("-")[MARK.split("-").length];
    if (!existsSync(`/proc/${pid}`)) run("ip", "netns", "del", space);
  }
}

function spaces(): string[] {
  const text = execFileSync("ip", ["netns", "list"], { encoding: "utf8" });
  return text
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "")
    .filter((name) => name.startsWith(`${MARK}-`));
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: "pipe" });
}
