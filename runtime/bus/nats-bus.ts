/**
 * The message bus over NATS. A node starts and runs without a server, and connects when there is one.
 */
import { readFileSync } from "node:fs";
import { type ConnectionOptions, connect, credsAuthenticator, type TlsOptions } from "nats";
import type { Clock } from "../clock.ts";
import { MaestroError, messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import type { Random } from "../random.ts";
import type { Bus } from "./bus.ts";
import { type BusConnection, BusLink, CONNECT_TIMEOUT_MS } from "./bus-link.ts";
import { firstThatGreets } from "./nats-greeting.ts";
import { addressOf, type NatsServers, parseNatsUrl } from "./nats-server-url.ts";
import { NatsWire } from "./nats-wire.ts";
import { WiredBus } from "./wired-bus.ts";

/** The library's own check of liveness: never quicker than the bus's pulse, which needs no help. */
const LIBRARY_PING_MS = 120_000;

/** How to reach the servers. */
export interface NatsBusOptions {
  /** `nats://[user:password@|token@]host[:port][,host[:port]]`, or `tls://...` to insist on encryption. */
  readonly url: string;
  /** A credentials file (JWT and NKey), read once. Default: what the URL says. */
  readonly credentialsFile?: string;
  /** Passed through to the client: certificates, authority, server name. Default: encrypted if the server asks for it. */
  readonly tls?: TlsOptions;
  /** The node's name, shown in the server's list of connections. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
}

/**
 * Opens the bus, and returns at once: look at `status`.
 *
 * @throws CONFIG_INVALID the URL is malformed or the credentials file can't be read.
 */
export function openNatsBus(options: NatsBusOptions): Bus {
  const { clock, random, events } = options;
  const { address, link } = natsLink(options);
  const bus = new WiredBus({ clock, random, events, address, onClose: () => link.close() });
  link.start(bus);
  return bus;
}

/** A link to the servers that has not been started, and where they are, for people. @throws as {@link openNatsBus} */
export function natsLink(options: NatsBusOptions): { readonly address: string; readonly link: BusLink } {
  const { clock, random } = options;
  const servers = parseNatsUrl(options.url);
  const client = clientOptions(options, servers);
  return { address: servers.address, link: new BusLink({ clock, random, connect: () => connectOnce(options, servers, client) }) };
}

/** Tries the servers, beginning with any of them. */
async function connectOnce({ clock, random, events }: NatsBusOptions, { servers }: NatsServers, client: ConnectionOptions): Promise<BusConnection> {
  const first = random.uint32() % servers.length;
  const server = await firstThatGreets([...servers.slice(first), ...servers.slice(0, first)], CONNECT_TIMEOUT_MS, clock);
  const connection = await connect({ ...client, ...tlsFor(client, server.host), servers: addressOf(server) });
  return {
    wire: new NatsWire(connection, events),
    ended: connection.closed().then((error) => (error ? messageOf(error) : "the connection was closed")),
    close: () => connection.close(),
  };
}

/** The library names no host for a server that is addressed by number, and its certificate would be compared with "localhost". */
function tlsFor({ tls }: ConnectionOptions, host: string): Pick<ConnectionOptions, "tls"> {
  const named: TlsOptions & { readonly host: string } = { ...tls, host };
  return tls ? { tls: named } : {};
}

function clientOptions({ name, tls, credentialsFile }: NatsBusOptions, { isTls, user, password, token }: NatsServers): ConnectionOptions {
  return {
    name,
    reconnect: false,
    ignoreClusterUpdates: true,
    timeout: CONNECT_TIMEOUT_MS,
    pingInterval: LIBRARY_PING_MS,
    noAsyncTraces: true,
    ...(user === undefined ? {} : { user, pass: password ?? "" }),
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined && !isTls ? {} : { tls: tls ?? {} }),
    ...(credentialsFile === undefined ? {} : { authenticator: credsAuthenticator(readCredentials(credentialsFile)) }),
  };
}

function readCredentials(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new MaestroError("CONFIG_INVALID", { facts: { problems: `the NATS credentials file can't be read: ${messageOf(cause)}` }, cause });
  }
}
