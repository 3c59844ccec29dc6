/** A node's process stands still (SIGSTOP) for longer than its lease and goes on (SIGCONT) as if nothing had happened: others have its shards by then. */
import type { Nemesis } from "../nemesis.ts";

const STOP_MS = 30_000;
/** It finds out that it was fenced, ends, and is started again. */
const RECOVERY_MS = 3_000;

/** The nemesis. */
export const stop: Nemesis = {
  name: "stop",
  breaks: "node",
  async strike({ town, member, span }) {
    const close = town.windows.open("stop", member.name);
    const { process } = member.node;
    process.kill("SIGSTOP");
    try {
      await town.pause(span(STOP_MS, STOP_MS));
    } finally {
      process.kill("SIGCONT");
    }
    await town.pause(RECOVERY_MS);
    await member.ready();
    close();
  },
};
