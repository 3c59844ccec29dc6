/** A node's process vanishes without a word (SIGKILL) and is started again after its lease has ended. */
import type { Nemesis } from "../nemesis.ts";

/** The nemesis. */
export const kill: Nemesis = {
  name: "kill",
  breaks: "node",
  async strike({ town, member, span }) {
    const close = town.windows.open("kill", member.name);
    await member.kill();
    await town.pause(span(6_000, 12_000));
    await member.revive();
    await member.ready();
    close();
  },
};
