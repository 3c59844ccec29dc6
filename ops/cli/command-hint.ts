/**
 * Commands that people are told to type, in the form in which the README has them run: without the package being installed for the whole machine. Pure.
 */
import { parseTarget } from "../../gateway/address.ts";
import { type CliEnvironment, defaultAddress } from "./cli-context.ts";

/** The command as it can be typed. `address`: of the node that was asked, named unless it is the one that is asked anyway in the same environment. */
export function commandHint(env: CliEnvironment, command: string, address: string): string {
  return `npx maestro ${command}${address === addressAskedAnyway(env) ? "" : ` --address ${address}`}`;
}

/** In the form in which connections tell theirs; undefined if MAESTRO_ADDRESS is none. */
function addressAskedAnyway(env: CliEnvironment): string | undefined {
  try {
    return parseTarget(defaultAddress(env)).address;
  } catch {
    // A command without an address would be refused.
    return undefined;
  }
}
