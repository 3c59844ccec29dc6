/**
 * The address of NATS servers as users write it: `nats://user:password@host:4222,host2`, `nats://token@host`, `tls://host`. Holds secrets, so it is taken
 * apart here, once, and only {@link NatsServers.address} is ever shown.
 */
import { MaestroError } from "../errors.ts";

const DEFAULT_PORT = 4222;
const LIST = /^(nats|tls):\/\/(?:([^@]*)@)?([^@/?#]+)\/?$/;

/** Host and port of a server. */
export interface NatsServer {
  readonly host: string;
  readonly port: number;
}

/** What an address says. */
export interface NatsServers {
  readonly servers: readonly NatsServer[];
  /** The servers without secrets, for people. */
  readonly address: string;
  /** True if only an encrypted connection will do. */
  readonly isTls: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
}

/**
 * Reads an address.
 *
 * @throws CONFIG_INVALID without repeating the address, which may hold secrets.
 */
export function parseNatsUrl(url: string): NatsServers {
  const parts = LIST.exec(url);
  const servers = (parts?.[3] ?? "").split(",").map(parseServer);
  if (parts === null || !servers.every((server) => server !== undefined)) {
    throw new MaestroError("CONFIG_INVALID", {
      facts: { problems: "the NATS URL is not of the form nats://[user:password@]host[:port][,host[:port]]" },
    });
  }
  return {
    servers,
    address: servers.map(addressOf).join(","),
    isTls: parts[1] === "tls",
    ...credentialsOf(parts[2] ?? ""),
  };
}

/** A server as `host:port`. */
export function addressOf({ host, port }: NatsServer): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseServer(text: string): NatsServer | undefined {
  const { hostname, port, pathname } = URL.parse(`http://${text}`) ?? {};
  if (hostname === undefined || hostname === "" || pathname !== "/") return undefined;
  const isDefaultHttp = port === "" && /:80$/.test(text);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: isDefaultHttp ? 80 : Number(port || DEFAULT_PORT) };
}

function credentialsOf(text: string): Pick<NatsServers, "user" | "password" | "token"> {
  if (text === "") return {};
  const colon = text.indexOf(":");
  if (colon < 0) return { token: decode(text) };
  return { user: decode(text.slice(0, colon)), password: decode(text.slice(colon + 1)) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new MaestroError("CONFIG_INVALID", { facts: { problems: "the user, password or token in the NATS URL is not percent-encoded" }, cause });
  }
}
