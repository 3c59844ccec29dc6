/**
 * The thread that reads one large document: it answers once and ends.
 */
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../../runtime/assert.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { parseYamlDocument } from "./yaml-document.ts";
import type { ReadReply, ReadRequest } from "./yaml-thread-protocol.ts";

invariant(parentPort !== null, "the reading thread must not be the main thread");
parentPort.postMessage(answer(workerData as ReadRequest));

function answer({ text, pointers }: ReadRequest): ReadReply {
  try {
    const { value, position } = parseYamlDocument(text);
    return pointers === undefined ? { kind: "value", json: JSON.stringify(value) } : { kind: "positions", positions: pointers.map(position) };
  } catch (error) {
    if (!(error instanceof MaestroError) || error.code !== "DOCUMENT_INVALID") throw error;
    return { kind: "faulty", facts: error.facts, violations: error.violations };
  }
}
