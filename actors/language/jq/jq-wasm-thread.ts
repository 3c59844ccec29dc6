/**
 * The thread in which jq-wasm runs. It evaluates one request after the other; whoever started it ends it when one takes too long.
 */
import { parentPort } from "node:worker_threads";
import { loadJq } from "jq-wasm";
import { invariant } from "../../../runtime/assert.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { ThreadReply, ThreadRequest } from "./jq-wasm-protocol.ts";

invariant(parentPort !== null, "the jq thread must not be the main thread");
const port = parentPort;
const flags = ["-c"];
let jq = await loadJq();

port.on("message", (request: ThreadRequest) => void answer(request));
reply({ kind: "ready" });

async function answer(request: ThreadRequest): Promise<void> {
  try {
    reply(request.kind === "check" ? check(request) : evaluate(request));
  } catch (error) {
    // an abort inside leaves its memory in an unknown state
    jq = await loadJq();
    reply({ kind: "fault", id: request.id, fault: messageOf(error) });
  }
}

/** Compiles the program and runs it on no input at all. */
function check(request: Extract<ThreadRequest, { kind: "check" }>): ThreadReply {
  const bindings = request.variables.map((name) => `null as $${name} | `).join("");
  const { stderr, exitCode } = jq.raw("", bindings + request.source, flags);
  return exitCode === 0 ? { kind: "sound", id: request.id } : { kind: "fault", id: request.id, fault: complaint(stderr) };
}

function evaluate(request: Extract<ThreadRequest, { kind: "evaluate" }>): ThreadReply {
  const { id, source, variables } = request;
  const bindings = variables.map((name, at) => `.[1][${at}] as $${name} | `).join("");
  const { stdout, stderr, exitCode } = jq.raw(`[${request.data},${request.values}]`, `${bindings}.[0] | first((${source}\n))`, flags);
  if (exitCode !== 0) return { kind: "fault", id, fault: complaint(stderr) };
  if (stdout.trim() === "") return { kind: "fault", id, fault: "no value" };
  return { kind: "value", id, value: stdout };
}

/** The message of jq without its prefix and place. */
function complaint(stderr: string): string {
  const line = stderr.split("\n").find((candidate) => candidate.trim() !== "") ?? "jq failed";
  return line.replace(/^jq: error(?: \(at [^)]*\))?:? ?/, "").replace(/ at <top-level>, line.*$/, "");
}

function reply(message: ThreadReply): void {
  port.postMessage(message);
}
