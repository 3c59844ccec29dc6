/** A node loses one of the two servers and keeps the other, both ways or one. */
import type { Way } from "../line.ts";
import type { ServerName } from "../namespaces.ts";
import type { Nemesis } from "../nemesis.ts";

const WAYS: readonly Way[] = ["both", "there", "back"];
/** A connection that was silent is found dead, and another made, some time after the line is whole. */
const RECOVERY_MS = 5_000;

/** Between a node and PostgreSQL: for longer than the lease, so that others take its shards. */
export const cutPostgres: Nemesis = cut("postgres");

/** Between a node and NATS: it can't be asked by other nodes, nor ask them. */
export const cutNats: Nemesis = cut("nats");

function cut(server: ServerName): Nemesis {
  const name = `cut-${server}`;
  return {
    name,
    breaks: "node",
    async strike({ town, member, random, span }) {
      const way = WAYS[random.uint32() % WAYS.length] as Way;
      const close = town.windows.open(`${name} ${way}`, member.name);
      const mend = town.cut(member, server, way);
      try {
        await town.pause(span(4_000, 20_000));
      } finally {
        mend();
      }
      await member.ready();
      await town.pause(RECOVERY_MS);
      await member.ready();
      close();
    },
  };
}
