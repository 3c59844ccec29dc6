/**
 * Encodes arrays as PostgreSQL's binary array format, one buffer each: the driver sends a Buffer parameter as binary. It spares a batch
 * the hexadecimal text of every `bytea` and the server its parsing. Pure.
 *
 * Layout: dimensions, has-nulls flag, element type, length, lower bound (32 bits each, big endian); then each element as its length and
 * bytes, with length -1 for null.
 */

/** Identifiers of the element types in PostgreSQL's catalogue (pg_type), which never change. */
const OID = { bytea: 17, int8: 20, int2: 21, int4: 23, text: 25, timestamptz: 1184, uuid: 2950, jsonb: 3802 } as const;

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const TWO_TO_32 = 2 ** 32;
const UUID_LENGTH = 36;
const HYPHEN = 0x2d;
/** Makes every sum with it less than 0. */
const NO_DIGIT = -4096;
/** What a hexadecimal digit is worth, by its character code. */
const HEX_DIGIT: readonly number[] = Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? NO_DIGIT : digit;
});
/** 2000-01-01, where PostgreSQL's time begins, in milliseconds since the Unix epoch. */
const PG_EPOCH_MS = 946_684_800_000;
/** Version byte in front of a binary `jsonb`. */
const JSONB_VERSION = 1;

/** `uuid[]`, from UUIDs in their usual form. @throws RangeError one is not. */
export function uuidArray(values: readonly string[]): Buffer {
  return fixed(OID.uuid, 16, values, writeUuid);
}

/** `int2[]`. */
export function int2Array(values: readonly number[]): Buffer {
  return fixed(OID.int2, 2, values, (buffer, value, at) => void buffer.writeInt16BE(value, at));
}

/** `int4[]`. */
export function int4Array(values: readonly number[]): Buffer {
  return fixed(OID.int4, 4, values, (buffer, value, at) => void buffer.writeInt32BE(value, at));
}

/** `int8[]`, from safe integers. */
export function int8Array(values: readonly number[]): Buffer {
  return fixed(OID.int8, 8, values, writeInt8);
}

/** `timestamptz[]`, from milliseconds since the Unix epoch. */
export function timestamptzArray(values: readonly (number | undefined)[]): Buffer {
  return fixed(OID.timestamptz, 8, values, (buffer, value, at) => writeInt8(buffer, (value - PG_EPOCH_MS) * 1000, at));
}

/** `text[]`. */
export function textArray(values: readonly (string | undefined)[]): Buffer {
  return variable(OID.text, values, Buffer.byteLength, (buffer, value, at) => void buffer.write(value, at, "utf8"));
}

/** `jsonb[]`, from JSON texts. */
export function jsonbArray(values: readonly string[]): Buffer {
  const lengthOf = (value: string): number => 1 + Buffer.byteLength(value);
  return variable(OID.jsonb, values, lengthOf, (buffer, value, at) => {
    buffer[at] = JSONB_VERSION;
    buffer.write(value, at + 1, "utf8");
  });
}

/** `bytea[]`; each element is given in pieces, which are joined. */
export function byteaArray(values: readonly (readonly Uint8Array[])[]): Buffer {
  const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0);
  return variable(OID.bytea, values, lengthOf, (buffer, parts, at) => {
    let next = at;
    for (const part of parts) {
      buffer.set(part, next);
      next += part.length;
    }
  });
}

/** A text for people, made storable: PostgreSQL's `text` can't hold the character zero, and no message is worth a failed batch. */
export function storable(text: string | undefined): string | undefined {
  return text?.replaceAll("\0", "\uFFFD");
}

type Write<T> = (buffer: Buffer, value: T, at: number) => void;

/** Elements of one length. Like {@link variable} it runs for every value of every batch: it makes nothing but the buffer, no iterators either. */
function fixed<T>(oid: number, size: number, values: readonly (T | undefined)[], write: Write<T>): Buffer {
  let nulls = 0;
  for (let index = 0; index < values.length; index++) if (values[index] === undefined) nulls += 1;
  const buffer = begin(oid, values.length, (values.length - nulls) * size, nulls > 0);
  let at = HEADER_BYTES;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    at = buffer.writeInt32BE(value === undefined ? -1 : size, at);
    if (value === undefined) continue;
    write(buffer, value, at);
    at += size;
  }
  return buffer;
}

function variable<T>(oid: number, values: readonly (T | undefined)[], lengthOf: (value: T) => number, write: Write<T>): Buffer {
  let bytes = 0;
  let hasNulls = false;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value === undefined) hasNulls = true;
    else bytes += lengthOf(value);
  }
  const buffer = begin(oid, values.length, bytes, hasNulls);
  let at = HEADER_BYTES;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    const length = value === undefined ? 0 : lengthOf(value);
    at = buffer.writeInt32BE(value === undefined ? -1 : length, at);
    if (value !== undefined) write(buffer, value, at);
    at += length;
  }
  return buffer;
}

/** A buffer with its header, for `count` elements of `bytes` together. */
function begin(oid: number, count: number, bytes: number, hasNulls: boolean): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + count * LENGTH_BYTES + bytes);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(hasNulls ? 1 : 0, 4);
  buffer.writeInt32BE(oid, 8);
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16);
  return buffer;
}

/** Digit by digit, without texts in between. */
function writeUuid(buffer: Buffer, value: string, at: number): void {
  let next = at;
  let isValid = value.length === UUID_LENGTH;
  for (let index = 0; index < UUID_LENGTH && isValid; index += 2) {
    if (index === 8 || index === 13 || index === 18 || index === 23) {
      isValid = value.charCodeAt(index) === HYPHEN;
      index += 1;
    }
    const byte = digitAt(value, index) * 16 + digitAt(value, index + 1);
    isValid &&= byte >= 0;
    buffer[next++] = byte;
  }
  if (!isValid) throw new RangeError(`not a UUID: ${value}`);
}

function digitAt(text: string, index: number): number {
  return HEX_DIGIT[text.charCodeAt(index)] ?? NO_DIGIT;
}

function writeInt8(buffer: Buffer, value: number, at: number): void {
  buffer.writeInt32BE(Math.floor(value / TWO_TO_32), at);
  buffer.writeUInt32BE(((value % TWO_TO_32) + TWO_TO_32) % TWO_TO_32, at + 4);
}
