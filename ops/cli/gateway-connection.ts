/**
 * The command line's port to a node, over the gateway's own client: joins the pages of lists and turns messages into the product's values.
 */
import type { HistoryEntry } from "../../actors/runs.ts";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import type { SubscribeRequest } from "../../proto/gen/maestro/v1/event_service.ts";
import type { EventRequest, Gateway, RunQuery } from "./gateway-port.ts";
import { entryOf, type Run, type Workflow } from "./wire.ts";

/** Rows asked for at once. */
const PAGE_ROWS = 500;

/** Who looks at many nodes does not wait for one that hangs. */
const ACTIVITY_TIMEOUT_MS = 1_000;

/**
 * A connection to the node at an address; aborting `signal` cancels what waits for an answer (REQUEST_CANCELLED).
 * @throws FIELD_INVALID the address is none.
 */
export function connectGateway(address: string, signal?: AbortSignal): Gateway {
  const client = connect(address, signal === undefined ? {} : { signal });
  return {
    address: client.address,
    deploy: async (document, isDryRun) => {
      const { workflow, created } = await client.deploy(document, isDryRun);
      return { workflow: workflow as Workflow, created };
    },
    workflow: (ref) => client.getWorkflow(ref),
    workflows: ({ namespace, name, limit }) =>
      collect(limit, async (pageSize, pageToken) => {
        const page = await client.listWorkflows({ namespace, name, pageSize, pageToken });
        return { rows: page.workflows, nextPageToken: page.nextPageToken };
      }),
    deleteWorkflow: (ref) => client.deleteWorkflow(ref),
    start: ({ name: workflow, labels, ...rest }) => client.start({ ...rest, workflow, labels: { ...labels } }),
    run: (runId) => client.getRun(runId),
    endedRun: (runId, signal) => client.awaitRun(runId, { signal }),
    runs: (query) => listRuns(client, query),
    history: (runId, fromSeq, lastSeq) => readHistory(client, runId, fromSeq, lastSeq),
    watch: (runId, fromSeq, signal) => watch(client, runId, fromSeq, signal),
    events: ({ from, stopsAtEnd, types, ...rest }, signal) =>
      client.subscribe({ ...rest, types: [...types], stopAtEnd: stopsAtEnd, start: eventStart(from) }, { signal }),
    signal: (runId, signal) => client.signal({ runId, ...signal, checkName: true }),
    cancel: (runId, reason) => client.cancel(runId, reason),
    terminate: (runId, reason) => client.terminate(runId, reason),
    release: (runId) => client.release(runId),
    nodes: () => client.listNodes(),
    shards: () => client.listShards(),
    queues: () => client.listQueues(),
    activity: () => client.activity({ timeoutMs: ACTIVITY_TIMEOUT_MS }),
    drain: (node) => client.drainNode(node),
    undrain: (node) => client.undrainNode(node),
    close: () => client.close(),
  };
}

function eventStart(from: EventRequest["from"]): SubscribeRequest["start"] {
  if (from === "new") return undefined;
  if ("sequence" in from) return { $case: "fromSequence", value: from.sequence };
  return { $case: "fromTime", value: { seconds: Math.floor(from.timeMs / 1_000), nanos: (from.timeMs % 1_000) * 1_000_000 } };
}

function listRuns(client: MaestroClient, { namespace, workflow, statuses, limit }: RunQuery): Promise<Run[]> {
  return collect(limit, async (pageSize, pageToken) => {
    const page = await client.listRuns({ namespace, workflow, statuses: [...statuses], pageSize, pageToken });
    return { rows: page.runs, nextPageToken: page.nextPageToken };
  });
}

async function* readHistory(client: MaestroClient, runId: string, fromSeq: number, lastSeq: number): AsyncGenerator<HistoryEntry> {
  for (let next = fromSeq; next > 0 && next <= lastSeq; ) {
    const { entries, nextSeq } = await client.history({ runId, fromSeq: next, pageSize: Math.min(PAGE_ROWS, lastSeq + 1 - next) });
    for (const entry of entries) yield entryOf(entry);
    next = nextSeq;
  }
}

async function* watch(client: MaestroClient, runId: string, fromSeq: number, signal: AbortSignal): AsyncGenerator<HistoryEntry> {
  for await (const entry of client.watch(runId, fromSeq, { signal })) yield entryOf(entry);
}

type ReadPage<T> = (pageSize: number, pageToken: string) => Promise<{ readonly rows: readonly T[]; readonly nextPageToken: string }>;

async function collect<T>(limit: number, readPage: ReadPage<T>): Promise<T[]> {
  const rows: T[] = [];
  for (let token = ""; ; ) {
    const page = await readPage(Math.min(PAGE_ROWS, limit - rows.length), token);
    rows.push(...page.rows);
    token = page.nextPageToken;
    if (token === "" || rows.length >= limit) return rows;
  }
}
