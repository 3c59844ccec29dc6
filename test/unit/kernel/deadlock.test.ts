import assert from "node:assert/strict";
import fc from "fast-check";
import { askCycle } from "../../../runtime/kernel/deadlock.ts";

describe("askCycle", () => {
  const graphs = fc.array(fc.array(fc.nat({ max: 7 }), { maxLength: 3 }), { minLength: 8, maxLength: 8 });

  it("finds a cycle exactly when the asked one reaches the asker, and each link of it is real", () => {
    fc.assert(
      fc.property(graphs, fc.nat({ max: 7 }), fc.nat({ max: 7 }), (edges, asker, asked) => {
        const waitsFor = (actor: number): readonly number[] => edges[actor] ?? [];
        const cycle = askCycle(asker, asked, waitsFor);
        assert.equal(cycle !== undefined, reaches(edges, asked, asker));
        if (cycle === undefined) return;
        assert.equal(cycle[0], asker);
        assert.equal(cycle[1], asked);
        assert.equal(cycle.at(-1), asker);
        for (let link = 1; link + 1 < cycle.length; link++) assert.ok(waitsFor(cycle[link] as number).includes(cycle[link + 1] as number));
      }),
    );
  });

  it("names an actor that asks itself", () => {
    assert.deepEqual(
      askCycle("a", "a", () => []),
      ["a", "a"],
    );
  });
});

/** Reference: transitive closure by repetition. */
function reaches(edges: readonly (readonly number[])[], from: number, to: number): boolean {
  const reached = new Set([from]);
  for (let round = 0; round < edges.length; round++) for (const node of [...reached]) for (const next of edges[node] ?? []) reached.add(next);
  return reached.has(to);
}
