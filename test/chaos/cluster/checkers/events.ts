/**
 * What the world was told: each event of each run came, at its first coming after all before it, and always with the text that the journal demands. The one
 * exception is what NATS had acknowledged when its store was wiped: it is not published again, so an event may be missing if nobody had read it by then.
 */
import type { CloudEvent } from "../../../../actors/events/cloud-event.ts";
import type { RunId } from "../../../../runtime/ids.ts";
import type { HeardEvent } from "../../../support/nats-subscriber.ts";
import type { Gap } from "../told.ts";
import type { WrittenRow } from "../write-log.ts";

/** What is judged. */
export interface EventEvidence {
  /** What the journal demands, by run, in order. */
  readonly expected: ReadonlyMap<RunId, readonly CloudEvent[]>;
  /** What came, by source. */
  readonly sources: readonly (readonly HeardEvent[])[];
  readonly gaps: readonly Gap[];
  readonly written: readonly WrittenRow[];
}

/** What came of it. */
export interface EventJudgement {
  readonly findings: readonly string[];
  /** Events that came nowhere. */
  readonly missing: number;
  /** Those that fell into a gap, where nothing is promised. */
  readonly excused: number;
}

/** A sentence for each event that is missing, for each run whose events came out of order in a source, and for each event that came with another text. */
export function judgeEvents({ expected, sources, gaps, written }: EventEvidence): EventJudgement {
  const findings = sources.flatMap((source) => judgeSource(expected, source));
  const came = new Set(sources.flatMap((source) => source.map(({ text }) => idOf(text).id)));
  const rows = Map.groupBy(written, ({ runId }) => runId);
  let [missing, excused] = [0, 0];
  for (const [runId, events] of expected) {
    for (const { id } of events) {
      if (came.has(id)) continue;
      const atMs = committedAt(rows.get(runId) ?? [], Number(id.slice(id.indexOf(":") + 1)));
      const isExcused = gaps.some(({ fromMs, untilMs }) => atMs >= fromMs && atMs <= untilMs);
      if (isExcused) excused += 1;
      else missing += 1;
      if (!isExcused) findings.push(`the event ${id}, committed at ${new Date(atMs).toISOString()}, never came`);
    }
  }
  return { findings, missing, excused };
}

function judgeSource(expected: ReadonlyMap<RunId, readonly CloudEvent[]>, source: readonly HeardEvent[]): string[] {
  const findings: string[] = [];
  const next = new Map<string, number>();
  const seen = new Set<string>();
  const places = new Map([...expected].flatMap(([, events]) => events.map((event, place) => [event.id, { place, text: event.text }] as const)));
  for (const { text } of source) {
    const { id, run } = idOf(text);
    const wanted = places.get(id);
    if (wanted === undefined) findings.push(`the event ${id} came, and the journal knows nothing of it`);
    else if (wanted.text !== text) findings.push(`the event ${id} is not what the journal says`);
    if (wanted === undefined || seen.has(id)) continue;
    seen.add(id);
    const least = next.get(run) ?? 0;
    if (wanted.place < least) findings.push(`the event ${id} came after one that follows it`);
    next.set(run, Math.max(least, wanted.place + 1));
  }
  return findings;
}

function idOf(text: string): { readonly id: string; readonly run: string } {
  const { id, subject } = JSON.parse(text) as { readonly id: string; readonly subject: string };
  return { id, run: subject };
}

function committedAt(rows: readonly WrittenRow[], seq: number): number {
  return rows.find((row) => row.seq <= seq && seq < row.seq + row.count)?.atMs ?? Number.NaN;
}
