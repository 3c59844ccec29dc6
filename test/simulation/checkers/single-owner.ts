/**
 * Each epoch of a shard has one owner ever: whatever is committed, is so by the boot that the table names in that moment, unfenced, and under the
 * shard's epoch.
 */
import { type BootId, shardOf } from "../../../runtime/ids.ts";
import { type Checker, type Finding, finding } from "./checker.ts";

/** The checker. */
export const checkSingleOwner: Checker = ({ committed }) => {
  const findings: Finding[] = [];
  const writers = new Map<string, BootId>();
  for (const { bootId, runId, firstSeq, epoch, table } of committed) {
    const shard = shardOf(runId);
    const what = `the row ${firstSeq} of run ${runId} was committed under epoch ${epoch} of shard ${shard} by ${bootId}`;
    const other = writers.get(`${shard}/${epoch}`) ?? bootId;
    writers.set(`${shard}/${epoch}`, bootId);
    if (other !== bootId) findings.push(finding(`${what}, and another one by ${other}`, runId, bootId, other));
    else if (table.isFenced) findings.push(finding(`${what}, which was fenced`, runId, bootId));
    else if (table.owner !== bootId) findings.push(finding(`${what}, while it belonged to ${table.owner ?? "nobody"}`, runId, bootId));
    else if (table.epoch !== epoch) findings.push(finding(`${what}, while its epoch was ${table.epoch}`, runId, bootId));
  }
  return findings;
};
