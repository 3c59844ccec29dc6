/** What the lines make of answers: when a command is settled, and when it is sent again. */
import assert from "node:assert/strict";
import { CommandLines, type CommandResult, type LinedCommand } from "../../../actors/cluster/command-lines.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { newRunId } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { nextTurn } from "../../support/next-turn.ts";
import { code } from "../../support/runs-bed.ts";

const TIMEOUT_MS = 60_000;
const UNHEARD: CommandResult = { again: true, mayBeDone: true };
const UNSENT: CommandResult = { again: true, mayBeDone: false };
const REFUSED = new MaestroError("JOURNAL_OVERLOADED", { facts: { queued: 1 }, retryAfterMs: 1_000 });
const ENDED = new MaestroError("RUN_ENDED", { facts: { runId: "r", status: "completed" } });

describe("a command that is sent more than once", () => {
  /** Lines whose owner gives these answers one after the other, the last of them for ever, a second apart. */
  const linesOf = (answers: readonly CommandResult[]) => {
    const clock = virtualClock();
    const runId = newRunId(7, clock.now(), seededRandom(1));
    const sent: LinedCommand[][] = [];
    const lines = new CommandLines({
      clock,
      timeoutMs: TIMEOUT_MS,
      deliver: async (_, commands) => {
        sent.push(commands.map((one) => ({ ...one })));
        return commands.map(() => answers[Math.min(sent.length, answers.length) - 1] as CommandResult);
      },
      pause: async () => {
        await nextTurn();
        clock.advance(1_000);
      },
    });
    const told = lines.add(runId, { kind: "signal", signal: { name: "go", payload: "1", signalId: "id" } });
    return { sent, told };
  };

  it("is not refused for now once it may be done: its caller would ask for it anew", async () => {
    const { sent, told } = linesOf([UNHEARD, REFUSED, REFUSED, "done"]);
    await told;
    assert.deepEqual(
      sent.map(([one]) => one?.isRepeat),
      [false, true, true, true],
    );
  });

  it("has an open fate when it is refused for now until its time is over", async () => {
    await assert.rejects(linesOf([UNHEARD, REFUSED]).told, code("TIMED_OUT"));
  });

  it("is refused at once as long as it is certain that it was not done", async () => {
    await assert.rejects(linesOf([REFUSED]).told, code("JOURNAL_OVERLOADED"));
    await assert.rejects(linesOf([UNSENT, REFUSED]).told, code("JOURNAL_OVERLOADED"));
  });

  it("is refused for good by what is so for good", async () => {
    await assert.rejects(linesOf([UNHEARD, ENDED]).told, code("RUN_ENDED"));
  });
});
