/**
 * Addresses of gateways as text: `host:port`, with brackets around an IPv6 address. Pure.
 */
import { MaestroError } from "../runtime/errors.ts";

/** Port of a gateway's gRPC server when an address names none. */
export const DEFAULT_GRPC_PORT = 50_051;

const PORT_MAX = 65_535;

const IPV4 = /^\d+\.\d+\.\d+\.\d+:\d+$/;
const IPV6 = /^\[/;

/** `host:port`. */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * An address that a person wrote, as `host:port`: `node-1`, `node-1:50051`, `:50051`, `[::1]:50051`, `grpc://node-1`. The host defaults to
 * 127.0.0.1, the port to {@link DEFAULT_GRPC_PORT}.
 *
 * @throws FIELD_INVALID
 */
export function parseAddress(text: string): string {
  const parts = /^(?:grpc:\/\/)?(?:\[(?<ipv6>[0-9a-fA-F:.]+)\]|(?<host>[^:/[\]\s]*))(?::(?<port>\d{1,5}))?\/?$/.exec(text);
  const port = Number(parts?.groups?.port ?? DEFAULT_GRPC_PORT);
  if (parts === null || port === 0 || port > PORT_MAX) {
    const reason = `${JSON.stringify(text)} is not of the form host:port.`;
    throw new MaestroError("FIELD_INVALID", { facts: { field: "address", reason }, violations: [{ field: "address", description: reason }] });
  }
  return formatAddress(parts.groups?.ipv6 ?? (parts.groups?.host || "127.0.0.1"), port);
}

/** Gateways that a client may use: as they are shown, and as the gRPC library is told of them. */
export interface GatewayTarget {
  /** `host:port`, or several with commas between them. */
  readonly address: string;
  readonly target: string;
  readonly isSeveral: boolean;
}

/**
 * One address or several with commas between them, each as for {@link parseAddress}. Of several the hosts are IP addresses of one family, because that
 * is what the gRPC library takes as a list; `localhost` is 127.0.0.1 there.
 *
 * @throws FIELD_INVALID
 */
export function parseTarget(text: string): GatewayTarget {
  const addresses = text.split(",").map((part) => parseAddress(part.trim()));
  const [address = ""] = addresses;
  if (addresses.length === 1) return { address, target: address, isSeveral: false };
  const numeric = addresses.map((one) => one.replace(/^localhost:/, "127.0.0.1:"));
  const isOf = (family: RegExp): boolean => numeric.every((one) => family.test(one));
  const scheme = isOf(IPV4) ? "ipv4" : "ipv6";
  if (scheme === "ipv6" && !isOf(IPV6)) {
    const reason = "several gateways must be named by IP addresses of one family; one name may stand for several of them.";
    throw new MaestroError("FIELD_INVALID", { facts: { field: "address", reason }, violations: [{ field: "address", description: reason }] });
  }
  return { address: numeric.join(","), target: `${scheme}:${numeric.join(",")}`, isSeveral: true };
}
