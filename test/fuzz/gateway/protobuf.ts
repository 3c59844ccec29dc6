/** Bytes of protobuf that are wrong in ways that matter: wrong wire types, lengths that lie, fields without end. */
import type { Chance } from "../chance.ts";

/** One of its ways to be wrong. `valid` is an encoded message of the method's type. */
export function mutatedMessage(chance: Chance, valid: Buffer): Buffer {
  const kind = chance.below(10);
  if (kind < 2) return valid;
  if (kind < 3) return chance.bytes(chance.size(400));
  if (kind < 5) return flipped(chance, valid);
  if (kind < 6) return valid.subarray(0, chance.below(valid.length + 1));
  if (kind < 7) return Buffer.concat([valid, valid]);
  if (kind < 8) return Buffer.concat([valid, ...chance.list(chance.size(2_000), () => field(chance, valid))]);
  if (kind < 9) return Buffer.concat([valid, field(chance, valid)]);
  return nested(chance);
}

function flipped(chance: Chance, valid: Buffer): Buffer {
  const bytes = Buffer.from(valid);
  for (let left = 1 + chance.below(4); left > 0 && bytes.length > 0; left -= 1) {
    const at = chance.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.below(8));
  }
  return bytes;
}

/** A field with any number, wire type and content. */
function field(chance: Chance, valid: Buffer): Buffer {
  const number = chance.oneIn(4) ? chance.pick([0, 15, 16, 2047, 536_870_911]) : 1 + chance.below(14);
  const wireType = chance.below(8);
  const tag = varint(BigInt(number) * 8n + BigInt(wireType));
  if (wireType === 0)
    return Buffer.concat([tag, chance.oneIn(3) ? chance.bytes(chance.below(12)) : varint(BigInt.asUintN(64, BigInt(Math.trunc(chance.number()))))]);
  if (wireType === 1) return Buffer.concat([tag, chance.bytes(8)]);
  if (wireType === 5) return Buffer.concat([tag, chance.bytes(4)]);
  if (wireType !== 2) return tag;
  const content = chance.oneIn(2) ? chance.bytes(chance.size(60)) : valid;
  return Buffer.concat([
    tag,
    chance.oneIn(5) ? varint(BigInt(chance.pick([2 ** 31, 2 ** 32 - 1, 2 ** 40]))) : varint(BigInt(content.length)),
    content,
  ]);
}

/** Messages in messages, or groups in groups. */
function nested(chance: Chance): Buffer {
  const depth = chance.size(20_000);
  if (chance.oneIn(2)) return Buffer.alloc(depth, 0x0b + 8 * chance.below(5));
  let bytes = Buffer.alloc(0);
  const tag = 2 + 8 * (1 + chance.below(14));
  for (let level = 0; level < Math.min(depth, 300); level += 1) bytes = Buffer.concat([Buffer.from([tag]), varint(BigInt(bytes.length)), bytes]);
  return bytes;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  bytes.push(Number(left));
  return Buffer.from(bytes);
}
