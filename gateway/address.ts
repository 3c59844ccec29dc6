/**
 * Addresses of gateways as text: `host:port`, with brackets around an IPv6 address. Pure.
 */
import { MaestroError } from "../runtime/errors.ts";

/** Port of a gateway's gRPC server when an address names none. */
export const DEFAULT_GRPC_PORT = 50_051;

const PORT_MAX = 65_535;

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
