/**
 * Ports of this machine that nobody listens on.
 */
import { createServer } from "node:net";

/** `wanted` if nobody listens there, else undefined; 0 gives any free one. Somebody else may take it before it is used. */
export function freePort(wanted: number, host = "127.0.0.1"): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(undefined));
    probe.listen(wanted, host, () => {
      const address = probe.address();
      const port = address !== null && typeof address === "object" ? address.port : undefined;
      probe.close(() => resolve(port));
    });
  });
}
