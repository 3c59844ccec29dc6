/**
 * Server reflection: a client without our .proto files (a generic command line tool, a notebook) learns the whole contract from the server,
 * the messages of error details among it. It is given the compiler's own descriptors: the ones that the proto loader makes of .proto files
 * join all files of a package and forget what they import, which strict clients refuse.
 */
import type { Server } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath as healthProtoPath } from "grpc-health-check";
import { FILE_DESCRIPTORS } from "../proto/gen/descriptors.ts";

/** Adds the reflection service, in both versions that clients use, to a server. */
export function addReflection(server: Server): void {
  const fileDescriptorProtos = Object.values(FILE_DESCRIPTORS).map((base64) => Buffer.from(base64, "base64"));
  // Of an entry the service reads nothing but the descriptors; this is the plainest kind of entry.
  const contracts: PackageDefinition = { contracts: { format: "Protocol Buffer 3 EnumDescriptorProto", type: {}, fileDescriptorProtos } };
  new ReflectionService({ ...contracts, ...loadSync(healthProtoPath, { keepCase: true }) }).addToServer(server);
}
