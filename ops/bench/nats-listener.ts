/**
 * A plain NATS subscriber of all events, a process of its own: how many came, and how long after the moment that they tell of.
 */
import { connect } from "nats";
import { systemClock } from "../../runtime/clock.ts";
import { percentile } from "./benchmark.ts";
import { peerArgument, servePeer } from "./peer.ts";

/** What came since the last question. */
export interface Heard {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const TIME = /"time":"([^"]+)"/;

const clock = systemClock();
const connection = await connect({ servers: peerArgument<{ readonly url: string }>().url.replace("nats://", "") });
let lagsMs: number[] = [];
connection.subscribe("maestro.events.>", {
  callback: (_error, message) => void lagsMs.push(clock.now() - Date.parse(TIME.exec(message.string())?.[1] ?? "")),
});
await connection.flush();

async function answer(): Promise<Heard> {
  const sorted = lagsMs.sort((a, b) => a - b);
  lagsMs = [];
  return { count: sorted.length, p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99), maxMs: sorted.at(-1) ?? Number.NaN };
}

servePeer(answer, () => connection.close());
