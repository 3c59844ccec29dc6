/**
 * Every run whose start was acknowledged ended, with the result that its input demands, and the store says the same as the client was told.
 */
import { isDeepStrictEqual } from "node:util";
import { statusToWire } from "../../../actors/run/core/entry.ts";
import type { Order, Told } from "../order.ts";
import type { Expected } from "../workflows.ts";
import type { Checker } from "./finding.ts";

/** The checker. */
export const checkResults: Checker = ({ orders, runs }) => {
  const byId = new Map<string, (typeof runs)[number]>(runs.map((run) => [run.id, run]));
  const findings: string[] = [];
  for (const order of orders) {
    const expected = order.kind.expect(order.n);
    const [runId] = order.acknowledged;
    if (order.trouble !== undefined) findings.push(`${nameOf(order)}: the client gave up: ${order.trouble}`);
    if (runId === undefined) {
      if (!order.isOpen) findings.push(`${nameOf(order)} was never acknowledged`);
      continue;
    }
    const run = byId.get(runId);
    if (run === undefined) findings.push(`${nameOf(order)}: the acknowledged run ${runId} is not in the store`);
    else if (run.status !== expected.status) findings.push(`${nameOf(order)}: run ${runId} is ${run.status} in the store, not ${expected.status}`);
    if (order.told === undefined) findings.push(`${nameOf(order)}: nobody was told how run ${runId} ended`);
    else if (!isRight(order.told, expected)) findings.push(`${nameOf(order)}: run ${runId} ended wrong: ${JSON.stringify(order.told)}`);
  }
  // A run whose start was never acknowledged may be there or not; if it is there, it goes on like any other.
  const open = new Map(orders.filter((order) => order.isOpen).map((order) => [order.id, order]));
  for (const run of runs) {
    const order = open.get(run.order);
    if (order === undefined || order.kind.drive !== "nothing") continue;
    const { status } = order.kind.expect(order.n);
    if (run.status !== status) findings.push(`${nameOf(order)}: run ${run.id}, never acknowledged, is ${run.status}, not ${status}`);
  }
  return findings;
};

function isRight({ status, output, error }: Told, expected: Expected): boolean {
  if (status !== statusToWire(expected.status)) return false;
  if (expected.output !== undefined && !isDeepStrictEqual(JSON.parse(output), expected.output)) return false;
  return expected.detail === undefined || error?.detail === expected.detail;
}

function nameOf(order: Order): string {
  return `order ${order.id} (${order.kind.name}, n=${order.n})`;
}
