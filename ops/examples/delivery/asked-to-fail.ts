/**
 * The example can be asked to fail at a step, to show what is undone then.
 */
import { TaskError } from "maestro-conductor";

/** Throws if the run was asked to fail at this step. Trying again would not help, so no attempt follows. */
export function failIfAsked(failAt: string | undefined, step: string): void {
  if (failAt === step)
    throw new TaskError(`The step "${step}" fails because it was asked to (--fail-at).`, { title: "asked to fail", retryable: false });
}
