/**
 * Real worker pools for tests: with the fixture handlers, or with modules that a test writes.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import type { WorkerPool } from "../../runtime/workers/pool.ts";
import { startWorkerPool, type WorkerPoolOptions } from "../../runtime/workers/tiered-pool.ts";

const HANDLERS = fileURLToPath(new URL("../fixtures/handlers", import.meta.url));
const DEFINE_TASK = new URL("../../runtime/workers/define-task.ts", import.meta.url).href;

/** Starts a pool of one impatient thread with the fixture handlers and the shell, unless `options` say otherwise. */
export function startTestPool(options: Partial<WorkerPoolOptions> = {}): Promise<WorkerPool> {
  const ports = { clock: systemClock(), events: new EventHub() };
  return startWorkerPool({ ...ports, handlersFolder: HANDLERS, threads: 1, allowShell: true, cancelGraceMs: 300, blockedMs: 200, ...options });
}

/** Calls `use` with a folder that holds modules, by name; each has `defineTask` imported, unless it is JSON. The folder is removed afterwards. */
export async function withHandlerModules(modules: Readonly<Record<string, string>>, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "maestro-handlers-"));
  try {
    for (const [name, text] of Object.entries(modules)) {
      const head = name.endsWith(".json") ? "" : `import { defineTask } from ${JSON.stringify(DEFINE_TASK)};\n`;
      await writeFile(join(folder, name), `${head}${text}\n`);
    }
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
