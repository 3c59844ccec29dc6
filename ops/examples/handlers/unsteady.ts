/**
 * A task that fails a few times before it succeeds, and says itself how it is to be repeated.
 */
import { defineTask } from "maestro-conductor";

/** `unsteady`: succeeds at the attempt `succeedsAt`. */
export const unsteady = defineTask<{ readonly succeedsAt: number }, { attempts: number }>({
  name: "unsteady",
  retry: { attempts: 6, delayMs: 200, backoff: "exponential", maxDelayMs: 2_000 },
  run({ succeedsAt }, { attempt, log }) {
    if (attempt < succeedsAt) throw new Error(`attempt ${attempt} fails; attempt ${succeedsAt} will succeed`);
    log.info("it worked", { attempt });
    return { attempts: attempt };
  },
});
