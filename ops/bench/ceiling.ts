/**
 * What this machine gives at most for each part of a run's way, without the product: group commit, gRPC, a thread and back, a sync of the
 * disk. The figures of the product mean something only beside these.
 */
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { pause } from "../../runtime/storage/pause.ts";
import { SETTINGS } from "../settings.ts";
import { type Benchmark, type BenchSetting, latencyRound, type Measured, measureInTurn, type Round } from "./benchmark.ts";
import { openGrpcEcho } from "./grpc-ceiling.ts";
import { openJournalBed } from "./journal.ts";

const LANES = SETTINGS.lanes.fallback;
/** Size of a page of the write-ahead log. */
const PAGE = Buffer.alloc(8_192, 0x61);
/** Pages of a segment of the log, which is written over and over: a file that grows is slower to sync. */
const PAGES = 2_048;
/** Long enough for a thread to go to sleep. */
const REST_MS = 5;
/** Threads and disk show what they can do in less time than a server. */
const SHORT = 0.25;

/** `npm run bench -- ceiling`. */
export const ceiling: Benchmark = {
  name: "ceiling",
  about: "What the machine gives without the product: group commit, gRPC, threads, disk.",
  async measure(setting) {
    await using owned = new AsyncDisposableStack();
    const bed = owned.use(await openJournalBed(setting));
    const echo = owned.use(await openGrpcEcho(setting));
    const thread = owned.adopt(new Worker(new URL("./echo-thread.ts", import.meta.url)), async (worker) => void (await worker.terminate()));
    const folder = owned.adopt(await mkdtemp(join(tmpdir(), "maestro-bench-")), (path) => rm(path, { recursive: true, force: true }));
    const file = owned.use(await open(join(folder, "segment"), "w"));
    await file.writeFile(Buffer.alloc(PAGES * PAGE.length));
    await file.sync();
    return await measureInTurn(setting, [
      ...[1, 300, 1_000].map((inFlight) => bed.measured(`group commit, ${inFlight}`, LANES, inFlight)),
      echo.unary(100),
      echo.unary(300),
      echo.stream(300),
      echo.stream(1_000),
      threadRoundTrip(setting, thread, 0),
      threadRoundTrip(setting, thread, REST_MS),
      sync(setting, file),
    ]);
  },
};

/** One message at a time, each after a rest. */
function threadRoundTrip(setting: BenchSetting, thread: Worker, restMs: number): Measured {
  const { clock, roundMs } = setting;
  const about =
    restMs === 0 ? "a message to a worker thread and back, one after the other" : `the same after ${restMs} ms of rest: waking up dominates`;
  const round = async (): Promise<Round> => {
    const latenciesUs: number[] = [];
    for (const endMs = clock.monotonic() + roundMs * SHORT; clock.monotonic() < endMs; ) {
      if (restMs > 0) await pause(restMs, clock);
      const sentMs = clock.monotonic();
      const back = new Promise((resolve) => thread.once("message", resolve));
      thread.postMessage("a message");
      await back;
      latenciesUs.push((clock.monotonic() - sentMs) * 1000);
    }
    return latencyRound(latenciesUs);
  };
  return { label: { name: `thread and back, ${restMs === 0 ? "busy" : "at rest"}`, unit: "us", about }, round };
}

/** One page after the other onto the same disk as the temporary databases. */
function sync(setting: BenchSetting, file: FileHandle): Measured {
  const { clock, roundMs } = setting;
  const round = async (): Promise<Round> => {
    const latenciesUs: number[] = [];
    for (const endMs = clock.monotonic() + roundMs * SHORT; clock.monotonic() < endMs; ) {
      await file.write(PAGE, 0, PAGE.length, (latenciesUs.length % PAGES) * PAGE.length);
      const startMs = clock.monotonic();
      await file.datasync();
      latenciesUs.push((clock.monotonic() - startMs) * 1000);
    }
    return latencyRound(latenciesUs);
  };
  return { label: { name: "fdatasync", unit: "us", about: "a page of 8 KiB brought to the disk: no commit is faster than this" }, round };
}
