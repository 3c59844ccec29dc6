/** Has the pure core execute a compiled workflow for some turns: whatever compiles must not break an invariant. */
import type { Workflow } from "../../../actors/language/model.ts";
import type { RunCommand } from "../../../actors/run/core/command.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { RunWorld, thrown } from "../../support/run-world.ts";

const TURNS_MAX = 12;
const DAY_MS = 86_400_000;

/** Enough turns were taken. */
class Enough extends Error {
  override readonly name = "Enough";
}

class BoundedWorld extends RunWorld {
  #turns = 0;

  override turn(command: RunCommand): void {
    this.#turns += 1;
    if (this.#turns > TURNS_MAX) throw new Enough();
    super.turn(command);
  }
}

/** Starts a run, answers attempts, evaluations, timers and signals. Answers how far it came. */
export function takeSteps(workflow: Workflow): string {
  const failing = { refund: () => thrown() };
  const world = new BoundedWorld(workflow, { charge: (input) => ({ output: input }), ...failing });
  try {
    world.start({ n: 1, items: [1, { name: "x" }], text: "a,b" });
    while (world.state.status === "running") push(world);
  } catch (error) {
    if (error instanceof Enough) return "still running";
    if (error instanceof MaestroError) return `run refused: ${error.code}`;
    throw error;
  }
  return world.state.status;
}

function push(world: BoundedWorld): void {
  for (const { source } of world.pending) world.answers.set(source, source.length % 2 === 0 ? { fault: "unknown" } : { value: [1, source] });
  if (world.pending.length > 0) return void world.tell({ kind: "resume" });
  const [attempt] = world.underWay.values();
  if (attempt !== undefined) return void world.settle(attempt.call.path, { kind: "completed", output: '{"n":2}' });
  if (world.timers.length > 0 && (world.timers[0] as number) < 1_000 * DAY_MS) return void world.advance(world.timers[0] as number);
  world.tell({ kind: "cancel", reason: "enough" });
}
