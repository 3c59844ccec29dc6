/**
 * Regular expressions of strangers (`pattern` in a document's JSON Schema) must not hold the node's thread: V8 is told to go over to its linear engine when
 * an expression backtracks excessively. Holds for the whole process and its threads.
 */
import { setFlagsFromString } from "node:v8";

/** To be called before documents are compiled. */
export function boundRegularExpressions(): void {
  setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");
}
