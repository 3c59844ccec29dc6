/** PostgreSQL stops at once, without a checkpoint, and is started again. */
import type { Nemesis } from "../nemesis.ts";

/** The nemesis. */
export const postgresStop: Nemesis = {
  name: "postgres",
  breaks: "postgres",
  async strike({ town, span }) {
    const close = town.windows.open("postgres", undefined);
    await town.pg.stop("immediate");
    await town.pause(span(500, 8_000));
    await town.pg.start();
    await town.ready();
    close();
  },
};
