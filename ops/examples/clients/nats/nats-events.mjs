// Hears the events of runs from NATS: a plain JetStream consumer that goes on where it was when it is started again, and takes no event twice.
// node nats-events.mjs nats://127.0.0.1:4222 [namespace] [workflow]
import { connect } from "nats";

const [url = "nats://127.0.0.1:4222", namespace = "*", workflow = "*"] = process.argv.slice(2);
const connection = await connect({ servers: url });
const manager = await connection.jetstreamManager();
await manager.consumers.add("MAESTRO_EVENTS", {
  durable_name: "example",
  filter_subject: `maestro.events.${namespace}.${workflow}.*`,
  ack_policy: "explicit",
  deliver_policy: "all",
});
const consumer = await connection.jetstream().consumers.get("MAESTRO_EVENTS", "example");
process.once("SIGINT", () => connection.drain());

// At least once: an event may come again, always with the same id. What takes effects outside should remember ids in its own database.
const seen = new Set();
for await (const message of await consumer.consume()) {
  const event = message.json();
  if (!seen.has(event.id)) console.log(event.time, event.subject, event.type, JSON.stringify(event.data));
  seen.add(event.id);
  if (seen.size > 100_000) seen.delete(seen.values().next().value);
  message.ack();
}
