/** Tables of the command line, on terminals and in pipes. */
import assert from "node:assert/strict";
import { Output } from "../../../../ops/cli/output.ts";
import { openTerminal } from "../../../../ops/cli/terminal.ts";

describe("a table of the command line", () => {
  const drawn = (isTTY: boolean, columns: number): string[] => {
    let text = "";
    const terminal = openTerminal({ isTTY, columns, write: (chunk: string) => (text += chunk) }, { NO_COLOR: "1" });
    new Output(terminal, terminal).table([{}], ["NODE", "BOOT"], [["n1", "4d437c0a-ebb1-4be4-a9b3-c0c34c2f337d"]], "");
    return text.trimEnd().split("\n");
  };

  it("has a line for each row on a terminal: what does not fit is cut, not wrapped", () => {
    assert.deepEqual(drawn(true, 20), ["NODE  BOOT", "n1    4d437c0a-ebb1…"]);
  });

  it("is whole in a pipe, whatever reads it", () => {
    assert.deepEqual(drawn(false, 20), ["NODE  BOOT", "n1    4d437c0a-ebb1-4be4-a9b3-c0c34c2f337d"]);
  });
});
