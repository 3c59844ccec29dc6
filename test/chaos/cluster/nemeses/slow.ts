/** What a node and a server say to each other takes 200 ms longer, each way. */
import type { ServerName } from "../namespaces.ts";
import type { Nemesis } from "../nemesis.ts";

const DELAY_MS = 200;

/** On the way to PostgreSQL. */
export const slowPostgres: Nemesis = slow("postgres");

/** On the way to NATS. */
export const slowNats: Nemesis = slow("nats");

function slow(server: ServerName): Nemesis {
  return {
    name: `slow-${server}`,
    breaks: "node",
    async strike({ town, member, span }) {
      const close = town.windows.open(`slow-${server}`, member.name);
      const line = town.line(member, server);
      line.delay(DELAY_MS);
      try {
        await town.pause(span(3_000, 10_000));
      } finally {
        line.mend();
      }
      await member.ready();
      close();
    },
  };
}
