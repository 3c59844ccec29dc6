/**
 * A plain NATS subscriber of all events, a process of its own: which came, and when.
 */
import { connect } from "nats";
import { systemClock } from "../../runtime/clock.ts";
import { peerArgument, servePeer } from "./peer.ts";

/** An event that came. */
export interface HeardEvent {
  readonly runId: string;
  /** Number of the entry of the run's history that it tells of. */
  readonly seq: number;
  /** When the turn that decided it took place, by the node's clock, in milliseconds since the epoch. */
  readonly decidedMs: number;
  /** When it came, the same. */
  readonly heardMs: number;
}

const ID = /"id":"([^:"]+):(\d+)/;
const TIME = /"time":"([^"]+)"/;

const clock = systemClock();
const connection = await connect({ servers: peerArgument<{ readonly url: string }>().url.replace("nats://", "") });
const heard: { readonly text: string; readonly heardMs: number }[] = [];
connection.subscribe("maestro.events.>", { callback: (_error, message) => void heard.push({ text: message.string(), heardMs: clock.now() }) });
await connection.flush();

/** What came since the last question. */
async function answer(): Promise<readonly HeardEvent[]> {
  return heard.splice(0).map(({ text, heardMs }) => {
    const [, runId = "", seq] = ID.exec(text) ?? [];
    return { runId, seq: Number(seq), decidedMs: Date.parse(TIME.exec(text)?.[1] ?? ""), heardMs };
  });
}

servePeer(answer, () => connection.close());
