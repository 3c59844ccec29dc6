/**
 * Who strikes when, drawn from the seed: each nemesis in turn, some of them while another is at work, and calm between them.
 */
import type { Random } from "../../../runtime/random.ts";
import type { Load } from "../load.ts";
import type { Member } from "./member.ts";
import { cutNats, cutPostgres } from "./nemeses/cut.ts";
import { heap } from "./nemeses/heap.ts";
import { kill } from "./nemeses/kill.ts";
import { natsKill, natsWipe } from "./nemeses/nats-kill.ts";
import { postgresStop } from "./nemeses/postgres-stop.ts";
import { slowNats, slowPostgres } from "./nemeses/slow.ts";
import { stop } from "./nemeses/stop.ts";
import type { Nemesis } from "./nemesis.ts";
import type { Town } from "./town.ts";

/** One strike of each, and more of what figures are wanted of. */
export const ALL: readonly Nemesis[] = [
  ...[kill, kill, kill, stop, postgresStop, natsKill, natsWipe],
  ...[cutPostgres, cutPostgres, cutNats, slowPostgres, slowNats, heap],
];

/** The short form: the four that differ most. */
export const FEW: readonly Nemesis[] = [kill, stop, natsKill, cutPostgres];

/** What a timetable needs. */
export interface TimetableOptions {
  readonly town: Town;
  readonly random: Random;
  readonly nemeses: readonly Nemesis[];
  /** Longest time for which anything stays broken, in milliseconds. */
  readonly mostMs: number;
  /** True: also two at a time. */
  readonly overlaps: boolean;
  /** The load whose clients ask this node first. */
  load(member: Member): Load;
  say(line: string): void;
}

const CALM_MS = 4_000;
/** Of so many strikes one is joined by another. */
const JOINED = 3;

/** The timetable. Owns which nodes are in somebody's hands. */
export class Timetable {
  /** How often each struck. */
  readonly strikes = new Map<string, number>();
  readonly #options: TimetableOptions;
  readonly #held = new Set<Member>();
  #bag: Nemesis[] = [];

  constructor(options: TimetableOptions) {
    this.#options = options;
  }

  /** Has nemeses strike as long as `isOn`, and at least each once if there is no such time. */
  async run(isOn: () => boolean): Promise<void> {
    const { town, random } = this.#options;
    this.#fill();
    // Runs must be under way when the first one strikes.
    await town.pause(CALM_MS);
    while (isOn() && this.#bag.length > 0) {
      const first = this.#draw(() => true);
      const strikes = [this.#strike(first)];
      if (this.#options.overlaps && random.uint32() % JOINED === 0) {
        await town.pause(random.fraction() * CALM_MS);
        strikes.push(this.#strike(this.#draw(({ breaks }) => breaks === "node" || breaks !== first?.breaks)));
      }
      await Promise.all(strikes);
      await town.ready();
      await town.pause(CALM_MS * (1 + random.fraction()));
      if (this.#bag.length === 0 && this.#options.overlaps) this.#fill();
    }
  }

  #fill(): void {
    const { nemeses, random } = this.#options;
    this.#bag = nemeses
      .map((nemesis) => ({ nemesis, place: random.uint32() }))
      .sort((a, b) => a.place - b.place)
      .map(({ nemesis }) => nemesis);
  }

  #draw(fits: (nemesis: Nemesis) => boolean): Nemesis | undefined {
    const index = this.#bag.findIndex(fits);
    return index < 0 ? undefined : this.#bag.splice(index, 1)[0];
  }

  async #strike(nemesis: Nemesis | undefined): Promise<void> {
    if (nemesis === undefined) return;
    const { town, random, mostMs, load, say } = this.#options;
    const free = town.members.filter((member) => !this.#held.has(member));
    const member = free[random.uint32() % free.length] as Member;
    if (nemesis.breaks === "node") this.#held.add(member);
    const span = (leastMs: number, longestMs: number): number => {
      const chosenMs = leastMs + random.fraction() * (longestMs - leastMs);
      return Math.min(chosenMs, mostMs);
    };
    say(`${nemesis.name}${nemesis.breaks === "node" ? ` ${member.name}` : ""}`);
    try {
      await nemesis.strike({ town, member, random, load, span });
    } finally {
      this.#held.delete(member);
    }
    this.strikes.set(nemesis.name, (this.strikes.get(nemesis.name) ?? 0) + 1);
  }
}
