import assert from "node:assert/strict";
import fc from "fast-check";
import { SuspectTurns } from "../../../actors/run/suspect-turns.ts";

const WIDTHS = [Number.POSITIVE_INFINITY, 32, 4, 1] as const;

describe("turns of suspects", () => {
  it("come for the least suspicious first, and for the most suspicious when nobody else has theirs", () => {
    const turns = new SuspectTurns();
    const begun: string[] = [];
    const ask = (id: string, width: number): void => turns.ask(id, width, () => void begun.push(id));
    for (const id of ["a", "b", "c", "d", "e"]) ask(id, 4);
    ask("alone", 1);
    ask("wide", 32);
    assert.deepEqual(begun, ["a", "b", "c", "d"]);
    turns.leave("a");
    assert.deepEqual(begun.splice(0), ["a", "b", "c", "d", "wide"]);
    for (const id of ["b", "c", "wide"]) turns.leave(id);
    assert.deepEqual(begun.splice(0), ["e"]);
    turns.leave("d");
    assert.deepEqual(begun, []);
    turns.leave("e");
    assert.deepEqual(begun, ["alone"]);
  });

  it("are forgotten by who leaves while waiting", () => {
    const turns = new SuspectTurns();
    const begun: string[] = [];
    for (const id of ["a", "b", "c"]) turns.ask(id, 1, () => void begun.push(id));
    turns.leave("b");
    turns.leave("a");
    assert.deepEqual(begun, ["a", "c"]);
  });

  it("come once for who asks again with another width", () => {
    const turns = new SuspectTurns();
    const begun: string[] = [];
    const ask = (id: string, width: number): void => turns.ask(id, width, () => void begun.push(`${id} ${width}`));
    ask("first", 1);
    ask("a", 4);
    ask("a", 1);
    turns.leave("first");
    turns.leave("a");
    ask("last", 1);
    assert.deepEqual(begun, ["first 1", "a 1", "last 1"]);
  });

  it("never have more at the same time than anyone of them asked for, and come for everyone", () => {
    const person = fc.record({ width: fc.constantFrom(...WIDTHS), leavesAfter: fc.nat(20) });
    const property = fc.property(fc.array(person, { maxLength: 60 }), (people) => {
      const turns = new SuspectTurns();
      const current = new Set<number>();
      const begun = new Set<number>();
      const check = (): void => {
        const widths = [...current].map((index) => people[index]?.width ?? 0);
        const bounded = widths.filter((width) => width !== Number.POSITIVE_INFINITY);
        assert.ok(bounded.length <= Math.min(...bounded, Number.POSITIVE_INFINITY), `${widths} at the same time`);
        if (widths.includes(1)) assert.deepEqual(widths, [1]);
      };
      const leave = (index: number): void => {
        current.delete(index);
        turns.leave(String(index));
        check();
      };
      for (const [index, { width, leavesAfter }] of people.entries()) {
        turns.ask(String(index), width, () => {
          current.add(index);
          begun.add(index);
        });
        check();
        const [first] = current;
        if (leavesAfter < 5 && first !== undefined) leave(first);
      }
      for (let [first] = current; first !== undefined; [first] = current) leave(first);
      assert.equal(begun.size, people.length);
    });
    fc.assert(property);
  });
});
