/** Values that a handler of good or bad intent may return, throw, log or resolve with. */
import { TaskError } from "../../../runtime/workers/define-task.ts";
import { type Chance, PROTOTYPE_NAMES } from "../chance.ts";

const STATUSES = [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 99, 100, 404, 599, 600, 404.5, 2 ** 31, 2 ** 53, "404", null, {}];

/** Any value. */
export function hostileValue(chance: Chance): unknown {
  const makers = [plainValue, odd, errorLike, thrower, cyclic, large, nested, customJson];
  return chance.pick(makers)(chance);
}

/** Something that is likely to be thrown. */
export function hostileError(chance: Chance): unknown {
  return chance.oneIn(4) ? hostileValue(chance) : errorLike(chance);
}

function plainValue(chance: Chance): unknown {
  return { [chance.pick(PROTOTYPE_NAMES)]: chance.text(chance.size(200)), n: chance.number(), list: [chance.text(3), null, undefined] };
}

function odd(chance: Chance): unknown {
  return chance.pick<unknown>([
    undefined,
    null,
    1n,
    Symbol("s"),
    () => 1,
    Number.NaN,
    -0,
    "\ud800",
    "\0",
    new Date(Number.NaN),
    new Map([[1, 2]]),
    new Uint8Array(9),
  ]);
}

function errorLike(chance: Chance): unknown {
  const details = chance.oneIn(2) ? hostileValue(chance) : undefined;
  const text = chance.text(chance.size(30_000));
  const more = {
    type: chance.pick<unknown>([text, 1, undefined]),
    status: chance.pick(STATUSES),
    title: chance.pick<unknown>([text, null]),
    details,
  };
  const error = Object.assign(new TaskError(text), { ...more, retryable: chance.pick<unknown>([true, false, undefined, "no"]) });
  if (chance.oneIn(4))
    return Object.assign(error, { message: chance.pick<unknown>([1, {}, null, undefined, Symbol("m")]), stack: chance.pick<unknown>([7, {}, text]) });
  if (chance.oneIn(4)) return { name: "TaskError", message: text, ...more };
  if (chance.oneIn(4))
    return Object.defineProperty(error, chance.pick(["message", "stack", "name", "type", "status", "details", "retryable"]), { get: fail });
  return chance.pick<unknown>([error, new RangeError(text), new AggregateError([error], text), Object.create(null), Object.create(error)]);
}

function fail(): never {
  throw new Error("from a getter");
}

function thrower(chance: Chance): unknown {
  const traps = { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail, getOwnPropertyDescriptor: fail };
  return chance.pick<unknown>([
    new Proxy({}, traps),
    new Proxy(fail, traps),
    new Proxy([], { get: fail }),
    {
      get a() {
        return fail();
      },
    },
    revoked(),
  ]);
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function cyclic(): unknown {
  const value: Record<string, unknown> = { list: [] };
  value.self = value;
  (value.list as unknown[]).push(value);
  return value;
}

function large(chance: Chance): unknown {
  return chance.oneIn(20) ? "x".repeat(2 ** 22) : "x".repeat(chance.size(100_000));
}

function nested(chance: Chance): unknown {
  let value: unknown = 1;
  for (let depth = chance.size(5_000); depth > 0; depth -= 1) value = [value];
  return value;
}

function customJson(chance: Chance): unknown {
  const failOddly = (): never => {
    throw hostileError(chance);
  };
  const answer = chance.pick<() => unknown>([
    fail,
    failOddly,
    () => undefined,
    () => 1n,
    () => "\udfff",
    () => ({ toJSON: fail }),
    () => Promise.resolve(1),
  ]);
  return { toJSON: answer, toString: chance.pick<unknown>([fail, 1, () => ({})]), [Symbol.toPrimitive]: fail };
}
