/**
 * What a nemesis is: it breaks one thing of the cluster for a while and heals it again.
 */
import type { Random } from "../../../runtime/random.ts";
import type { Load } from "../load.ts";
import type { Member } from "./member.ts";
import type { Town } from "./town.ts";

/** What it has to do with. */
export interface Scope {
  readonly town: Town;
  /** The node that it may break; ready when it begins. */
  readonly member: Member;
  readonly random: Random;
  /** The load whose clients ask this node first. */
  load(member: Member): Load;
  /** Milliseconds for which something stays broken: what the nemesis asks for, or less in a short test. */
  span(leastMs: number, mostMs: number): number;
}

/** One of them. */
export interface Nemesis {
  readonly name: string;
  /** What is broken: two nemeses on the same thing are never under way at a time. */
  readonly breaks: "node" | "postgres" | "nats";
  /** Breaks it, and resolves once it is healed and everything that followed is over. Opens the windows of who has trouble. */
  strike(scope: Scope): Promise<void>;
}
