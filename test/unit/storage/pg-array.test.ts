import assert from "node:assert/strict";
import fc from "fast-check";
import {
  byteaArray,
  int2Array,
  int4Array,
  int8Array,
  jsonbArray,
  textArray,
  timestamptzArray,
  uuidArray,
} from "../../../runtime/storage/pg-array.ts";

/** A reference decoder, written from PostgreSQL's `array_recv`. */
function decode(buffer: Buffer): { readonly oid: number; readonly elements: readonly (Buffer | undefined)[] } {
  assert.equal(buffer.readInt32BE(0), 1, "dimensions");
  const hasNulls = buffer.readInt32BE(4);
  const oid = buffer.readInt32BE(8);
  const count = buffer.readInt32BE(12);
  assert.equal(buffer.readInt32BE(16), 1, "lower bound");
  const elements: (Buffer | undefined)[] = [];
  let at = 20;
  for (let index = 0; index < count; index++) {
    const length = buffer.readInt32BE(at);
    at += 4;
    elements.push(length === -1 ? undefined : buffer.subarray(at, at + length));
    at += Math.max(length, 0);
  }
  assert.equal(at, buffer.length, "nothing follows the last element");
  assert.equal(hasNulls, elements.includes(undefined) ? 1 : 0, "null flag");
  return { oid, elements };
}

/** Checks that an encoder's elements decode to what went in. */
function roundTrips<T>(arbitrary: fc.Arbitrary<T>, encode: (values: T[]) => Buffer, oid: number, decodeOne: (element: Buffer) => unknown): void {
  fc.assert(
    fc.property(fc.array(arbitrary, { minLength: 1 }), (values) => {
      const decoded = decode(encode(values));
      assert.equal(decoded.oid, oid);
      assert.deepEqual(
        decoded.elements.map((element) => (element === undefined ? undefined : decodeOne(element))),
        values,
      );
    }),
  );
}

describe("PostgreSQL's binary arrays", () => {
  it("hold UUIDs", () => {
    roundTrips(fc.uuid(), uuidArray, 2950, (element) => {
      assert.equal(element.length, 16);
      return element.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    });
  });

  it("hold integers of each width, to their limits", () => {
    roundTrips(fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }), int2Array, 21, (element) => element.readInt16BE());
    roundTrips(fc.integer(), int4Array, 23, (element) => element.readInt32BE());
    roundTrips(fc.maxSafeInteger(), int8Array, 20, (element) => Number(element.readBigInt64BE()));
  });

  it("hold times to the millisecond, before 2000 too, and null", () => {
    const timeMs = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2200, 0, 1) });
    roundTrips(fc.option(timeMs, { nil: undefined }), timestamptzArray, 1184, (element) => {
      return Number(element.readBigInt64BE() / 1000n) + Date.UTC(2000, 0, 1);
    });
  });

  it("hold texts in any script, and null", () => {
    roundTrips(fc.option(fc.string({ unit: "grapheme" }), { nil: undefined }), textArray, 25, (element) => element.toString("utf8"));
  });

  it("hold JSON", () => {
    roundTrips(fc.json(), jsonbArray, 3802, (element) => {
      assert.equal(element[0], 1);
      return element.subarray(1).toString("utf8");
    });
  });

  it("hold bytes, joined from pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.uint8Array()), { minLength: 1 }), (values) => {
        const { oid, elements } = decode(byteaArray(values));
        assert.equal(oid, 17);
        assert.deepEqual(
          elements,
          values.map((parts) => Buffer.concat(parts)),
        );
      }),
    );
  });
});
