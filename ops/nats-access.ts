/**
 * How a node shows itself to its NATS servers, and whom it trusts there, out of its configuration. Reads the files that are named.
 */
import { readFileSync } from "node:fs";
import { MaestroError, messageOf } from "../runtime/errors.ts";
import type { Config } from "./config.ts";
import { SETTINGS } from "./settings.ts";

/** What a connection needs beside its name. */
export interface NatsAccess {
  readonly url: string;
  readonly credentialsFile?: string;
  readonly tls?: { readonly ca: string };
}

/** The access to the servers at `url`. @throws CONFIG_INVALID the file of the authority can't be read */
export function natsAccess(url: string, { natsAuthority, natsCredentials }: Pick<Config, "natsAuthority" | "natsCredentials">): NatsAccess {
  return {
    url,
    ...(natsCredentials !== undefined && { credentialsFile: natsCredentials }),
    ...(natsAuthority !== undefined && { tls: { ca: readAuthority(natsAuthority) } }),
  };
}

function readAuthority(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const description = `can't be read: ${messageOf(cause)}`;
    const { env: field } = SETTINGS.natsAuthority;
    throw new MaestroError("CONFIG_INVALID", { facts: { problems: `${field} ${description}` }, violations: [{ field, description }], cause });
  }
}
