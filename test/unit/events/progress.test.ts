/** Up to when everything is stored in the stream: a mark that is too early would have the next owner pass over events. */
import assert from "node:assert/strict";
import { Progress } from "../../../actors/events/progress.ts";
import type { PublishMark } from "../../../runtime/storage/event-checkpoints.ts";

const markOf = (ms: number): PublishMark => ({ committedAt: new Date(ms).toISOString(), entriesFromMs: ms });

describe("the mark of what is published", () => {
  it("is confirmed once all that was written before it is stored, in whatever order that comes", () => {
    const progress = new Progress();
    const first = progress.note(2);
    progress.close(markOf(1));
    const second = progress.note(1);
    progress.close(markOf(2));
    progress.close(markOf(3));
    assert.equal(progress.confirmed(), undefined);
    second.outstanding -= 1;
    first.outstanding -= 1;
    assert.equal(progress.confirmed(), undefined, "one of the first is on its way");
    first.outstanding -= 1;
    assert.deepEqual(progress.confirmed(), markOf(3));
    assert.equal(progress.confirmed(), undefined, "it is told once");
  });

  it("says nothing of what was written after it", () => {
    const progress = new Progress();
    progress.note(1).outstanding -= 1;
    progress.close(markOf(1));
    const later = progress.note(1);
    assert.deepEqual([progress.confirmed(), progress.isSettled], [markOf(1), false]);
    progress.close(markOf(2));
    assert.equal(progress.confirmed(), undefined);
    later.outstanding -= 1;
    assert.deepEqual([progress.confirmed(), progress.isSettled], [markOf(2), true]);
  });
});
