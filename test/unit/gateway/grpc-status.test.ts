import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { fromCallError, fromStatusMessage } from "../../../gateway/grpc-client-errors.ts";
import { DETAILS_TRAILER, toCallStatus, toStatusMessage } from "../../../gateway/grpc-status.ts";
import { Status } from "../../../proto/gen/google/rpc/status.ts";
import { ERRORS } from "../../../runtime/error-registry.ts";
import { type ErrorCode, MaestroError } from "../../../runtime/errors.ts";

const CODES = Object.keys(ERRORS) as ErrorCode[];
const CALL = { address: "127.0.0.1:1", method: "Get", timeoutMs: 5 };

/** What a gRPC client would be handed for an error. */
function overTheWire(error: unknown): MaestroError {
  const { code, details, metadata } = toCallStatus(error);
  return fromCallError(Object.assign(new Error(details), { code, details, metadata }), CALL);
}

/** Bytes that an error takes in the headers of an answer. */
function headerBytes(error: unknown): number {
  const { details, metadata } = toCallStatus(error);
  return encodeURI(details).length + (metadata.get(DETAILS_TRAILER)[0] as Buffer).toString("base64").length;
}

describe("gRPC status", () => {
  for (const code of CODES) {
    it(`carries ${code} there and back`, () => {
      const facts = Object.fromEntries([...ERRORS[code].message.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name ?? "", `a ${name}`]));
      const error = new MaestroError(code, { facts, violations: [{ field: "f", description: "d" }], retryAfterMs: 1500 });
      const message = toStatusMessage(error);
      assert.equal(message.code, status[ERRORS[code].grpc]);
      assert.equal(message.message, `${error.message} ${error.advice}`);
      const back = overTheWire(error);
      assert.deepEqual([back.code, back.facts, back.violations, back.retryAfterMs], [code, facts, error.violations, 1500]);
      assert.equal(back.message, error.message);
      assert.equal(back.advice, error.advice);
    });
  }

  it("says nothing of an error that is none of the registry", () => {
    for (const error of [
      new TypeError("secret"),
      "secret",
      undefined,
      new MaestroError("INTERNAL", { facts: { reason: "secret" }, cause: new Error("secret") }),
    ]) {
      const { code, details, metadata } = toCallStatus(error);
      assert.equal(code, status.INTERNAL);
      assert.doesNotMatch(`${details} ${String(metadata.get(DETAILS_TRAILER)[0])}`, /secret/);
    }
  });

  it("fits in a header whatever the error says", () => {
    const texts = fc.oneof(fc.string({ unit: "binary", maxLength: 3_000 }), fc.constant("語".repeat(2_000)));
    const details = fc.record({
      facts: fc.dictionary(fc.string({ maxLength: 20 }), texts, { maxKeys: 20 }),
      violations: fc.array(fc.record({ field: texts, description: texts }), { maxLength: 200 }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...CODES), details, (code, detail) => {
        const error = new MaestroError(code, detail);
        assert.ok(headerBytes(error) < 7.9 * 1024, `${headerBytes(error)} bytes`);
      }),
    );
  });

  it("says how many violations it left out", () => {
    const violations = Array.from({ length: 500 }, (_, index) => ({ field: `/do/${index}`, description: "is required." }));
    const shown = overTheWire(new MaestroError("DOCUMENT_INVALID", { facts: { count: 500, first: "x" }, violations })).violations;
    assert.ok(shown.length > 20 && shown.length < 500);
    assert.deepEqual(shown.at(-1), { field: "", description: `and ${500 - shown.length + 1} more.` });
  });

  it("takes half a surrogate pair, which a user's JSON can hold", () => {
    const { details } = toCallStatus(new MaestroError("FIELD_INVALID", { facts: { field: "\ud800", reason: "x" } }));
    assert.doesNotThrow(() => encodeURI(details));
  });

  it("makes errors of the registry of what came without details", () => {
    const plain = (code: number) => fromCallError(Object.assign(new Error("x"), { code, details: "why", metadata: undefined }), CALL);
    assert.deepEqual(
      [plain(status.UNAVAILABLE).code, plain(status.UNAVAILABLE).facts],
      ["NODE_UNREACHABLE", { address: CALL.address, reason: "why" }],
    );
    assert.deepEqual(plain(status.DEADLINE_EXCEEDED).facts, { what: "Get at 127.0.0.1:1", timeoutMs: 5 });
    assert.equal(plain(status.CANCELLED).code, "REQUEST_CANCELLED");
    assert.equal(plain(status.RESOURCE_EXHAUSTED).code, "FIELD_INVALID");
    assert.equal(plain(status.UNIMPLEMENTED).code, "INTERNAL");
    assert.equal(fromCallError(new Error("x"), CALL).code, "INTERNAL");
  });

  it("takes no details of another domain, nor broken ones, for its own", () => {
    assert.equal(fromStatusMessage({ code: 3, message: "", details: [] }), undefined);
    const metadata = toCallStatus(new Error("x")).metadata;
    metadata.set(DETAILS_TRAILER, Buffer.from([0xff, 0xff]));
    assert.equal(fromCallError(Object.assign(new Error("x"), { code: 14, details: "", metadata }), CALL).code, "NODE_UNREACHABLE");
    const message = toStatusMessage(new MaestroError("RUN_ENDED"));
    const other = { ...message, details: message.details.map((any) => ({ ...any, typeUrl: "type.googleapis.com/other.Thing" })) };
    assert.equal(fromStatusMessage(Status.decode(Status.encode(other).finish())), undefined);
  });
});
