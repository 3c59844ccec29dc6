/**
 * Entry of a worker thread: loads the handlers, then executes what arrives. Refuses the main thread. Owns the thread's process-wide hooks
 * (console, uncaught errors, exit); knows nothing of queues, time bounds or other threads.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { invariant } from "../assert.ts";
import { systemClock } from "../clock.ts";
import { MaestroError, messageOf } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { AttemptContext } from "./attempt-context.ts";
import { cutText } from "./bounded-text.ts";
import { builtinTasks } from "./builtin/index.ts";
import { loadCatalogue } from "./catalogue.ts";
import { Executor } from "./executor.ts";
import type { Reply, ReplyBatch, RequestBatch, ThreadSetup } from "./protocol.ts";
import { ThreadVoice } from "./thread-voice.ts";
import { TurnBatch } from "./turn-batch.ts";

invariant(!isMainThread && parentPort !== null, "thread.ts is the entry of a worker thread");
const port = parentPort;
const setup = workerData as ThreadSetup;
const scope = new AsyncLocalStorage<AttemptContext>();
let acknowledged = 0;

const replies = new TurnBatch<Reply>((items) => {
  const dropped = voice.turn();
  const batch: ReplyBatch = { acknowledged, replies: dropped === undefined ? items : [...items, dropped] };
  port.postMessage(batch);
});
const reply = (item: Reply): void => replies.add(item);
const voice = new ThreadVoice(reply);
const exitThread = process.exit.bind(process);

/** Says why, and ends this thread (in a worker thread, exit ends the thread alone). */
function die(culprit: number, reason: string, code: number | string | null | undefined): never {
  reply({ kind: "dying", culprit, reason: cutText(reason, LIMITS.logLineBytes) });
  replies.flush();
  return exitThread(code);
}

async function main(): Promise<void> {
  voice.captureConsole(scope);
  const catalogue = await loadCatalogue(builtinTasks(systemClock()), setup.handlersFolder);
  const executor = new Executor({ catalogue, reply, voice, current: setup.current, scope });
  process.exit = (code) => die(scope.getStore()?.id ?? 0, `process.exit(${code ?? ""}) was called`, code);
  process.on("uncaughtException", (error) => {
    if (!executor.blame(error, "uncaught error")) die(0, `uncaught error: ${messageOf(error)}`, 1);
  });
  process.on("unhandledRejection", (reason) => {
    if (!executor.blame(reason, "unhandled rejection")) die(0, `unhandled rejection: ${messageOf(reason)}`, 1);
  });
  port.on("message", (batch: RequestBatch) => {
    acknowledged = batch.sequence;
    replies.schedule();
    for (const request of batch.requests) executor.handle(request);
  });
  reply({ kind: "ready", handlers: [...catalogue.values()].map((handler) => handler.info) });
}

main().catch((error: unknown) => {
  const refusal = error instanceof MaestroError ? error : undefined;
  const file = String(refusal?.facts.file ?? setup.handlersFolder);
  reply({ kind: "refused", file, reason: String(refusal?.facts.reason ?? messageOf(error)) });
  replies.flush();
  exitThread(1);
});
