/**
 * `grpc.health.v1.Health`: whether the server as a whole (the empty name) and each of its services take work. A node turns it on when it
 * is ready and off when it begins to drain; load balancers and clients' own health checks follow.
 */
import type { Server, ServerWritableStream } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";

/** A stream on which a client watches; it has no end of its own. */
type HealthWatch = ServerWritableStream<unknown, unknown>;

/** The health of one server. */
export class GrpcHealth {
  readonly #services: readonly string[];
  readonly #implementation: HealthImplementation;
  readonly #watches = new Set<HealthWatch>();

  /** Not serving at first. `services` are full names. */
  constructor(services: readonly string[]) {
    this.#services = ["", ...services];
    this.#implementation = new HealthImplementation(Object.fromEntries(this.#services.map((name) => [name, "NOT_SERVING"])));
  }

  /** Adds the service to a server, keeping hold of the streams on which clients watch. */
  addTo(server: Server): void {
    this.#implementation.addToServer({
      addService: (definition, handlers) => {
        const { watch } = handlers;
        server.addService(definition, {
          ...handlers,
          watch: (call: HealthWatch) => {
            this.#watches.add(call);
            call.on("cancelled", () => this.#watches.delete(call));
            (watch as (call: HealthWatch) => void)(call);
          },
        });
      },
    });
  }

  /** Tells everyone whether the services take work. */
  setServing(isServing: boolean): void {
    for (const name of this.#services) this.#implementation.setStatus(name, isServing ? "SERVING" : "NOT_SERVING");
  }

  /** Ends the streams of those who watch, after what was last said to them. Otherwise a connection would never be done. */
  endWatches(): void {
    for (const call of this.#watches) call.end();
    this.#watches.clear();
  }
}
