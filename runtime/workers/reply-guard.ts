/**
 * Tells what a worker thread says to the pool from what a handler, or a library that it uses, posts to its parent for reasons of its own: both come
 * through the same port. Looks at shapes only. Pure.
 */
import type { ReplyBatch } from "./protocol.ts";

type Fields = Readonly<Record<string, unknown>>;

/** True if a message is one of the pool's protocol. */
export function isReplyBatch(message: unknown): message is ReplyBatch {
  return isFields(message) && typeof message.acknowledged === "number" && Array.isArray(message.replies) && message.replies.every(isReply);
}

function isReply(reply: unknown): boolean {
  if (!isFields(reply)) return false;
  switch (reply.kind) {
    case "ready":
      return Array.isArray(reply.handlers);
    case "refused":
      return areTexts(reply.file, reply.reason);
    case "ended":
      return typeof reply.id === "number" && isOutcome(reply.outcome);
    case "heartbeat":
      return typeof reply.id === "number";
    case "log":
      return typeof reply.id === "number" && areTexts(reply.level, reply.message, reply.data);
    case "dying":
      return typeof reply.culprit === "number" && areTexts(reply.reason);
    default:
      return false;
  }
}

function isOutcome(outcome: unknown): boolean {
  if (!isFields(outcome)) return false;
  if (outcome.kind === "completed") return areTexts(outcome.output);
  if (outcome.kind === "failed") return isFields(outcome.error) && areTexts(outcome.error.kind, outcome.error.message);
  return outcome.kind === "cancelled";
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function areTexts(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === "string");
}
