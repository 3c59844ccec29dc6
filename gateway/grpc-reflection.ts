/**
 * Server reflection: a client without our .proto files (a generic command line tool, a notebook) learns the whole contract from the server,
 * the messages of error details among it.
 */
import { fileURLToPath } from "node:url";
import type { Server } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath as healthProtoPath } from "grpc-health-check";

/** Folder of the wire contracts, beside the folder of this file both in the source tree and in the built package. */
const PROTO_FOLDER = fileURLToPath(new URL("../proto/", import.meta.url));

/** No service mentions the details of errors, so they are named here. */
const CONTRACTS = ["maestro/v1/workflow_service.proto", "maestro/v1/run_service.proto", "google/rpc/error_details.proto"];

/** Adds the reflection service, in both versions that clients use, to a server. */
export function addReflection(server: Server): void {
  const contracts = loadSync([...CONTRACTS, healthProtoPath], { includeDirs: [PROTO_FOLDER], keepCase: true });
  new ReflectionService(contracts).addToServer(server);
}
