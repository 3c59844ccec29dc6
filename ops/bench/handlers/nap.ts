/** A task that takes its time and none of the processor's. */
import { systemClock } from "../../../runtime/clock.ts";
import { pause } from "../../../runtime/storage/pause.ts";
import { defineTask } from "../../../runtime/workers/define-task.ts";

const clock = systemClock();

/** Returns what it was given after `ms` milliseconds. */
export const nap = defineTask<{ readonly ms: number }, { readonly ms: number }>({
  name: "nap",
  run: async ({ ms }) => {
    await pause(ms, clock);
    return { ms };
  },
});
