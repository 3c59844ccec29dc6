/**
 * One owner: each epoch of a shard was given to one boot, and whatever was written under it that boot wrote, before the next one had the shard.
 */
import type { Acquisition, WrittenRow } from "../write-log.ts";

/** What is judged. */
export interface OwnerEvidence {
  readonly written: readonly WrittenRow[];
  readonly acquisitions: readonly Acquisition[];
}

/** A sentence for each epoch with two owners. */
export function checkEpochs({ acquisitions }: OwnerEvidence): string[] {
  return [...byEpoch(acquisitions)].flatMap(([epoch, owners]) =>
    owners.length === 1 ? [] : [`shard and epoch ${epoch} were given to ${owners.length} boots: ${owners.map(({ boot }) => boot).join(", ")}`],
  );
}

/** A sentence for each row that was written by somebody who did not own the shard then: a stale one. */
export function checkStaleRows({ written, acquisitions }: OwnerEvidence): string[] {
  const owners = byEpoch(acquisitions);
  return written.flatMap(({ runId, shard, seq, epoch, boot, atMs }) => {
    const row = `run ${runId}: its row at ${seq}, of epoch ${epoch} of shard ${shard},`;
    const owner = owners.get(`${shard}/${epoch}`)?.[0];
    const next = owners.get(`${shard}/${epoch + 1}`)?.[0];
    if (owner === undefined) return [`${row} was written under an epoch that nobody was given`];
    if (boot !== owner.boot) return [`${row} was written by ${boot ?? "no writer lane"}, and the owner was ${owner.boot}`];
    if (next !== undefined && next.atMs < atMs)
      return [`${row} was written ${(atMs - next.atMs).toFixed(1)} ms after ${next.boot} had been given the shard`];
    return [];
  });
}

function byEpoch(acquisitions: readonly Acquisition[]): Map<string, Acquisition[]> {
  return Map.groupBy(acquisitions, ({ shard, epoch }) => `${shard}/${epoch}`);
}
