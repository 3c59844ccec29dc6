/** A task fills the heap of a worker thread, which dies of it. Its run fails; the node and all other runs must not care. */
import { HOG } from "../kinds.ts";
import type { Nemesis } from "../nemesis.ts";

/** The nemesis. */
export const heap: Nemesis = {
  name: "heap",
  breaks: "node",
  async strike({ town, member, load }) {
    const close = town.windows.open("heap", member.name);
    await load(member).place(HOG);
    await member.ready();
    close();
  },
};
