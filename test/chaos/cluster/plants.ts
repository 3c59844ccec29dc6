/**
 * Shows of each checker that only a cluster needs that it notices what it is there for: one bug at a time is planted in evidence in which nothing was found,
 * and the checker that is named must speak up.
 */
import type { CloudEvent } from "../../../actors/events/cloud-event.ts";
import type { BootId } from "../../../runtime/ids.ts";
import { CLUSTER_CHECKERS } from "./cluster-audit.ts";
import type { ClusterEvidence } from "./cluster-evidence.ts";

/** One planted bug. */
interface Plant {
  /** What a defective product would have done. */
  readonly bug: string;
  /** Who has to notice. */
  readonly checker: keyof typeof CLUSTER_CHECKERS;
  readonly pretend: (evidence: ClusterEvidence) => ClusterEvidence;
}

const STRANGER = "00000000-0000-4000-8000-000000000000" as BootId;

const PLANTS: readonly Plant[] = [
  {
    bug: "two boots are given a shard under one epoch",
    checker: "one owner for an epoch",
    pretend: (evidence) => ({ ...evidence, acquisitions: [...evidence.acquisitions, { ...firstOf(evidence.acquisitions), boot: STRANGER }] }),
  },
  {
    bug: "a node writes under another's epoch",
    checker: "no stale row",
    pretend: (evidence) => ({ ...evidence, written: evidence.written.with(0, { ...firstOf(evidence.written), boot: STRANGER }) }),
  },
  {
    bug: "a node writes once more after its shard was taken over",
    checker: "no stale row",
    pretend: (evidence) => {
      const row = firstOf(evidence.written);
      const next = { shard: row.shard, epoch: row.epoch + 1, boot: STRANGER, atMs: row.atMs - 1 };
      return { ...evidence, acquisitions: [...evidence.acquisitions.filter(({ shard, epoch }) => shard !== row.shard || epoch <= row.epoch), next] };
    },
  },
  {
    bug: "a history is changed by somebody who is no writer lane",
    checker: "no stale row",
    pretend: (evidence) => ({ ...evidence, written: evidence.written.with(0, { ...firstOf(evidence.written), boot: undefined }) }),
  },
  {
    bug: "an event is never published",
    checker: "events are complete and in order",
    pretend: (evidence) => withSources(evidence, (texts, event) => texts.filter((text) => text !== event.text)),
  },
  {
    bug: "an event overtakes the one before it",
    checker: "events are complete and in order",
    pretend: (evidence) =>
      withSources(evidence, (texts, event) => (texts.includes(event.text) ? [...texts.filter((text) => text !== event.text), event.text] : texts)),
  },
  {
    bug: "an event is published before its commit, which fails",
    checker: "events are complete and in order",
    pretend: (evidence) => withSources(evidence, (texts, event) => [...texts, event.text.replace(event.id, `${event.id}9999`)]),
  },
  {
    bug: "an event says something else when it comes again",
    checker: "events are complete and in order",
    pretend: (evidence) => withSources(evidence, (texts, event) => [...texts, event.text.replace("workflow.started", "workflow.begun")]),
  },
  {
    bug: "the loss of a node fails a call to another",
    checker: "clients are spared",
    pretend: (evidence) => failing(evidence, "NODE_UNREACHABLE", undefined),
  },
  {
    bug: "a node in trouble answers something that no client can go by",
    checker: "clients are spared",
    pretend: (evidence) => failing(evidence, "INTERNAL", "kill"),
  },
];

/** Plants the bugs one after the other; answers how many there are, and those that went unnoticed. */
export function plantInCluster(evidence: ClusterEvidence): { readonly planted: number; readonly missed: readonly string[] } {
  const missed = PLANTS.flatMap(({ bug, checker, pretend }) => {
    const findings = CLUSTER_CHECKERS[checker](pretend(evidence));
    return findings.length > 0 ? [] : [`"${checker}" does not notice that ${bug}`];
  });
  return { planted: PLANTS.length, missed };
}

/** Changes the texts of each source, with regard to the first event of a run that has more than one. */
function withSources(evidence: ClusterEvidence, change: (texts: readonly string[], event: CloudEvent) => readonly string[]): ClusterEvidence {
  const events = [...evidence.expected.values()].find((own) => own.length > 1) ?? [];
  const sources = evidence.sources.map((source) => {
    const texts = source.map(({ text }) => text);
    return change(texts, firstOf(events)).map((text) => ({ subject: "", text }));
  });
  return { ...evidence, sources, gaps: [] };
}

/** Has one call fail, in a window of trouble of its own node or in none. */
function failing(evidence: ClusterEvidence, failure: string, what: string | undefined): ClusterEvidence {
  const call = { ...firstOf(evidence.calls), failure };
  const node = evidence.gateways.get(call.address);
  const window = { what: "kill", node: what === undefined ? "another" : node, fromMs: call.fromMs, untilMs: call.untilMs };
  return { ...evidence, calls: [call], windows: [window] };
}

function firstOf<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined) throw new Error("there is nothing to plant a bug in");
  return first;
}
