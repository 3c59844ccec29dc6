/**
 * Commands that people are told to type, in the form in which the README has them run: without the package being installed for the whole machine. Pure.
 */
import { DEFAULT_ADDRESS } from "./cli-context.ts";

/** The command as it can be typed. `address`: of the node that was asked, named only if it is not the one that is asked anyway. */
export function commandHint(command: string, address = DEFAULT_ADDRESS): string {
  return `npx maestro ${command}${address === DEFAULT_ADDRESS ? "" : ` --address ${address}`}`;
}
