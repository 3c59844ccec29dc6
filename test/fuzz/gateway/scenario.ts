/** One hostile call as data: whom it calls, with which headers, and what it then does, step by step. */
import type { Chance } from "../chance.ts";
import { mutatedMessage } from "./protobuf.ts";
import { EXECUTE_PATH, executeRequest, type Known, type Method, UNARY_METHODS, WATCH } from "./requests.ts";
import { frame } from "./wire.ts";

/** What the caller does next. `turn`: lets the server work for a turn of the event loop. */
export type Step = { readonly kind: "write"; readonly bytes: Buffer } | { readonly kind: "halfClose" | "cancel" | "turn" };

/** See the file header. */
export interface Scenario {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  /** True if the call is so far off that the gRPC library itself may answer, without a code of the registry. */
  readonly isBeyondGrpc: boolean;
}

/** The deadline of calls that may wait for a run: 40 milliseconds. The others are to be answered without one. */
const DEADLINE = "40m";
const WAITING = /\/(Get|Watch|Execute)$/;

const HEADERS: readonly (readonly [string, string])[] = [
  ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  ["traceparent", "00-zz"],
  ["traceparent", "x".repeat(5_000)],
  ["grpc-timeout", "0n"],
  ["grpc-timeout", "1u"],
  ["x-bin", "!!!not base64!!!"],
  ["authorization", "Bearer x"],
  ["grpc-encoding", "identity"],
  ["__proto__", "1"],
  ["constructor", "1"],
];
const HEADERS_BEYOND: readonly (readonly [string, string])[] = [
  ["grpc-timeout", "soon"],
  ["grpc-timeout", "-5S"],
  ["grpc-timeout", "99999999999"],
  ["grpc-encoding", "nonsense"],
  ["grpc-encoding", "gzip"],
  ["content-type", "text/html"],
  ["content-type", "application/grpc+json"],
  ["x-large", "y".repeat(20_000)],
  [":method", "GET"],
];
const PATHS_BEYOND = [
  "/",
  "",
  "/maestro.v1.RunService/",
  "/maestro.v1.RunService/constructor",
  "/maestro.v1.RunService/__proto__",
  "/../etc",
  "//",
  "*",
];

/** A call. */
export function anyScenario(chance: Chance, known: Known): Scenario {
  const kind = chance.below(20);
  if (kind < 11) return unary(chance, chance.pick(UNARY_METHODS), known);
  if (kind < 13) return unary(chance, WATCH, known);
  if (kind < 18) return execute(chance);
  return beyondGrpc(chance, known);
}

function headers(chance: Chance, path: string): Record<string, string> {
  return {
    ...(WAITING.test(path) && { "grpc-timeout": DEADLINE }),
    ...Object.fromEntries(chance.list(chance.oneIn(3) ? chance.below(3) : 0, () => chance.pick(HEADERS))),
  };
}

function unary(chance: Chance, method: Method, known: Known): Scenario {
  const message = mutatedMessage(chance, method.request(chance, known));
  const written: Step[] = [{ kind: "write", bytes: frame(message) }];
  const ending: Step[] = chance.oneIn(10) ? [{ kind: "turn" }, { kind: "cancel" }] : [{ kind: "halfClose" }];
  return { path: method.path, headers: headers(chance, method.path), steps: [...written, ...ending], isBeyondGrpc: false };
}

function execute(chance: Chance): Scenario {
  const steps = chance.list(1 + chance.size(30), (): Step => {
    const kind = chance.below(12);
    if (kind < 8) return { kind: "write", bytes: frame(executeRequest(chance)) };
    if (kind < 9) return { kind: "write", bytes: frame(mutatedMessage(chance, executeRequest(chance))) };
    return { kind: "turn" };
  });
  const ending: Step = chance.oneIn(4) ? { kind: "cancel" } : { kind: "halfClose" };
  return { path: EXECUTE_PATH, headers: headers(chance, EXECUTE_PATH), steps: [...steps, ending], isBeyondGrpc: false };
}

/** Frames that lie about themselves, methods that do not exist, headers that the library refuses. */
function beyondGrpc(chance: Chance, known: Known): Scenario {
  const method = chance.pick([...UNARY_METHODS, WATCH]);
  const message = method.request(chance, known);
  const path = chance.oneIn(3) ? chance.pick(PATHS_BEYOND) : chance.pick([method.path, EXECUTE_PATH]);
  const lying = chance.pick([
    frame(message, 1 + chance.below(255)),
    frame(message, 0, message.length + 1 + chance.below(100)),
    frame(message, 0, 2 ** 32 - 1),
    frame(message).subarray(0, chance.below(message.length + 5)),
    Buffer.concat([frame(message), frame(message)]),
    chance.oneIn(40) ? frame(Buffer.alloc(5 * 1024 * 1024)) : chance.bytes(chance.size(200)),
    Buffer.alloc(0),
  ]);
  const extra = chance.oneIn(2) ? [] : [chance.pick(HEADERS_BEYOND)];
  const ending: Step = { kind: chance.oneIn(4) ? "cancel" : "halfClose" };
  return {
    path,
    headers: { "grpc-timeout": DEADLINE, ...headers(chance, path), ...Object.fromEntries(extra) },
    steps: [{ kind: "write", bytes: lying }, ending],
    isBeyondGrpc: true,
  };
}
