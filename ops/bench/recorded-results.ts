/**
 * What is recorded of a run's steps: each result must be there once.
 */
import type { MaestroClient } from "../../gateway/grpc-client.ts";

const PAGE_ROWS = 500;

/** Results of a run's attempts and tasks that are recorded more than once. */
export async function repeatedResults(client: MaestroClient, runId: string): Promise<number> {
  const seen = new Set<string>();
  let results = 0;
  for (let next = 1; next > 0; ) {
    const { entries, nextSeq } = await client.history({ runId, fromSeq: next, pageSize: PAGE_ROWS });
    for (const { type, path, attempt } of entries) {
      if (type !== "attempt.completed" && type !== "task.completed") continue;
      results++;
      seen.add(`${type} ${path} ${type === "task.completed" ? 0 : attempt}`);
    }
    next = nextSeq;
  }
  return results - seen.size;
}
