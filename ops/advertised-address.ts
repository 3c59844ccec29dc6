/**
 * Where clients reach a gateway, which may be elsewhere than it listens: behind a port mapping, or on every address of its host. Pure.
 */
import { formatAddress } from "../gateway/address.ts";

const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[^:/[\]\s]+):(\d{1,5})$/;
const PORT_MAX = 65_535;
/** What a server listens on that takes connections on all addresses. */
const EVERY_ADDRESS = /^(0\.0\.0\.0|\[(::|0:0:0:0:0:0:0:0)\]):(\d+)$/;

/** True for `host:port`. */
export function isAddress(text: string): boolean {
  const port = Number(ADDRESS.exec(text)?.[2] ?? 0);
  return port > 0 && port <= PORT_MAX;
}

/** What others are told. `listening`: `host:port` of the server; `asked`: what the configuration says; `hostName`: of this machine. */
export function advertisedAddress(listening: string, asked: string | undefined, hostName: string): string {
  const port = EVERY_ADDRESS.exec(listening)?.[3];
  return asked ?? (port === undefined ? listening : formatAddress(hostName, Number(port)));
}
