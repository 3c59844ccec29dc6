/** The wake-up auditor by itself: what counts as lost, when the store's answer takes its time. */
import assert from "node:assert/strict";
import { WakeAuditor } from "../../../actors/run/wake-auditor.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import { newRunId, type RunId } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import type { WakeAudit } from "../../../runtime/storage/journal.ts";
import { ShardSet } from "../../../runtime/storage/shard-set.ts";

const NOTHING: WakeAudit = { withoutWake: [], ready: [] };
const clock = virtualClock();
const runId = newRunId(7, clock.now(), seededRandom(1));

/** An auditor whose store gives these answers one after the other, each after what `before` does. */
function auditorOf(answers: readonly WakeAudit[], residents: Set<RunId>, before: (look: number) => void = () => undefined) {
  const events = new EventHub();
  const reports: (readonly string[])[] = [];
  events.on("run.withoutWakeup", ({ runIds }) => reports.push(runIds));
  const woken: RunId[] = [];
  const pages: (RunId | undefined)[] = [];
  const journal = {
    async audit(_shards: ShardSet, _graceMs: number, _limit: number, after?: RunId): Promise<WakeAudit> {
      pages.push(after);
      before(pages.length);
      return answers[pages.length - 1] ?? NOTHING;
    },
  };
  const auditor = new WakeAuditor({
    ...{ clock, events, journal },
    shards: { has: () => true, current: ShardSet.all },
    isResident: (id) => residents.has(id),
    isLeftToNewer: () => false,
    wake: (id) => woken.push(id),
    onAuditFailed: assert.fail,
  });
  return { auditor, reports, woken, pages };
}

describe("the wake-up auditor", () => {
  it("reports and wakes a run that is ready in the store, and nowhere in memory, however often one looks", async () => {
    const found: WakeAudit = { withoutWake: [], ready: [runId] };
    const { auditor, reports, woken } = auditorOf([found, found], new Set());
    assert.deepEqual(await auditor.audit(), [runId]);
    assert.deepEqual([reports, woken], [[[runId]], [runId]]);
  });

  it("finds nothing in a run that ends, and leaves memory, while the store's answer is on its way", async () => {
    const residents = new Set([runId]);
    const { auditor, reports, woken, pages } = auditorOf([{ withoutWake: [], ready: [runId] }, NOTHING], residents, () => residents.clear());
    assert.deepEqual(await auditor.audit(), []);
    assert.deepEqual([reports, woken, pages.length], [[[]], [], 2]);
  });

  it("finds nothing in runs that leave memory because the node stops", async () => {
    const found: WakeAudit = { withoutWake: [], ready: [runId] };
    const { auditor, reports, woken } = auditorOf([found, found], new Set(), (look) => look === 2 && auditor.stop());
    assert.deepEqual(await auditor.audit(), []);
    assert.deepEqual([reports, woken], [[], []]);
  });

  it("looks only once where nothing is suspect, and a second time at the same page of timers", async () => {
    const { auditor, pages } = auditorOf([{ ...NOTHING, next: runId }, { withoutWake: [runId], ready: [] }, NOTHING, NOTHING], new Set());
    await auditor.audit();
    assert.deepEqual(pages, [undefined]);
    await auditor.audit();
    assert.deepEqual(pages, [undefined, runId, runId]);
    await auditor.audit();
    assert.equal(pages[3], undefined);
  });
});
