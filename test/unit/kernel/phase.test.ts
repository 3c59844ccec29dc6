import assert from "node:assert/strict";
import { accepts, checkStep, isLeaving, mayFollow, Phase, type PhaseCode } from "../../../runtime/kernel/phase.ts";

const ALL: readonly PhaseCode[] = Object.values(Phase);

describe("phases", () => {
  it("all lie on a way from running to terminated", () => {
    for (const phase of ALL) {
      assert.ok(reachable(Phase.running).has(phase), `${phase} can be reached`);
      assert.ok(reachable(phase).has(Phase.terminated), `${phase} can end`);
    }
  });

  it("end with terminated", () => {
    assert.deepEqual(
      ALL.filter((next) => mayFollow(Phase.terminated, next)),
      [],
    );
    assert.throws(() => checkStep(Phase.terminated, Phase.running), /must not follow/);
  });

  it("refuse messages once the actor goes for good, and keep them before", () => {
    const refusing: PhaseCode[] = [Phase.quarantining, Phase.quarantined, Phase.stopping, Phase.terminated];
    for (const phase of ALL) assert.equal(accepts(phase), !refusing.includes(phase));
  });

  it("that lead somewhere by themselves are known", () => {
    const leaving: PhaseCode[] = [Phase.restarting, Phase.passivating, Phase.quarantining, Phase.stopping];
    assert.deepEqual(ALL.filter(isLeaving), leaving);
  });
});

function reachable(from: PhaseCode): ReadonlySet<PhaseCode> {
  const reached = new Set([from]);
  for (const phase of reached) for (const next of ALL) if (mayFollow(phase, next)) reached.add(next);
  return reached;
}
