/** Whether a call ended as the contract says: with a status of the table, and a code of the registry wherever the gateway itself answered. */
import assert from "node:assert/strict";
import { status as grpcCodes } from "@grpc/grpc-js";
import { DETAIL_TYPES } from "../../../gateway/grpc-status.ts";
import { ErrorInfo } from "../../../proto/gen/google/rpc/error_details.ts";
import { Status } from "../../../proto/gen/google/rpc/status.ts";
import { ERRORS } from "../../../runtime/error-registry.ts";
import type { Scenario } from "./scenario.ts";
import type { WireStatus } from "./wire.ts";

/** What came of a call, in a word. Throws if it did not end as it must. */
export function verdictOn(scenario: Scenario, end: WireStatus): string {
  const isCancelled = scenario.steps.at(-1)?.kind === "cancel";
  if (end.code === undefined) {
    assert.ok(isCancelled || scenario.isBeyondGrpc, `ended without a status, HTTP ${end.httpStatus}`);
    return isCancelled ? "cancelled" : "refused by HTTP/2";
  }
  const name = grpcCodes[end.code];
  assert.ok(name !== undefined, `${end.code} is no gRPC status`);
  if (end.code === grpcCodes.OK) return "OK";
  if (end.details === undefined) {
    // The library itself tells of a deadline that the caller has set.
    const isDeadline = end.code === grpcCodes.DEADLINE_EXCEEDED && "grpc-timeout" in scenario.headers;
    assert.ok(scenario.isBeyondGrpc || isDeadline, `${name} without a code of the registry: ${end.message}`);
    return name;
  }
  return reasonIn(Status.decode(end.details), end.code);
}

/** The code of the registry in a status. Throws if it is none, belongs to another status, or says that the server is at fault. */
export function reasonIn(details: Status, code: number): string {
  const info = details.details.find(({ typeUrl }) => typeUrl === DETAIL_TYPES.errorInfo);
  assert.ok(info !== undefined, "the details name a reason");
  const { reason } = ErrorInfo.decode(info.value);
  assert.ok(Object.hasOwn(ERRORS, reason), `${reason} is no code of the registry`);
  const registered = ERRORS[reason as keyof typeof ERRORS];
  assert.equal(grpcCodes[registered.grpc], code, `${reason} has the status of the registry`);
  assert.notEqual(registered.grpc, "INTERNAL", `the server is not at fault for what it was sent: ${details.message}`);
  return reason;
}
