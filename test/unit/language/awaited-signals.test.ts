/** Which signals the tasks of a workflow wait for. */
import assert from "node:assert/strict";
import { awaitedSignals } from "../../../actors/language/awaited-signals.ts";
import { compileText, HEAD } from "../../support/compile-document.ts";

describe("the signals that a workflow waits for", () => {
  const signalsOf = async (...tasks: readonly string[]) =>
    awaitedSignals(await compileText(`${HEAD}do: [${tasks.map((task, index) => `{ t${index}: ${task} }`).join(", ")}]\n`));
  const waits = (name: string) => `{ call: signal@default, with: { name: ${name} } }`;

  it("are those of all its tasks, wherever these are nested", async () => {
    assert.deepEqual(await signalsOf("{ set: { a: 1 } }"), []);
    const tried = `{ try: [{ inner: ${waits("go")} }], catch: { do: [{ rescue: ${waits("help")} }] } }`;
    assert.deepEqual(await signalsOf(waits("go"), tried, `{ do: [{ last: ${waits("approved")} }] }`), ["approved", "go", "help"]);
  });

  it("are not known if a task makes its name while the run is under way", async () => {
    assert.equal(await signalsOf(waits("go"), waits('"${ .name }"')), undefined);
  });
});
