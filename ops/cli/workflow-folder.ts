/**
 * A folder with workflow documents that people edit: deploys what is in it, and again whatever changes.
 */
import { existsSync, globSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import { type Deployer, deployLatest } from "./deploy-latest.ts";
import type { Output } from "./output.ts";

/** Editors write a file in several steps; this long after the last one it is read. */
const SETTLE_MS = 150;

/** Other documents may lie beside workflows: every workflow names its language. */
const IS_WORKFLOW = /\bdsl"?\s*:/;

/** What the folder needs. */
export interface WorkflowFolderOptions {
  readonly folder: string;
  readonly gateway: Deployer;
  readonly output: Output;
  readonly clock: Clock;
}

/** The documents of a folder. */
export class WorkflowFolder {
  readonly #options: WorkflowFolderOptions;
  /** Text of each file as it was tried last. */
  readonly #tried = new Map<string, string>();
  #cancelTimer: CancelTimer | undefined;
  #deploying: Promise<void> = Promise.resolve();

  constructor(options: WorkflowFolderOptions) {
    this.#options = options;
  }

  /** Deploys all documents that are new or changed. Complains about faulty ones and goes on. */
  async deployAll(): Promise<void> {
    const { folder, gateway, output, clock } = this.#options;
    for (const file of globSync("*.{yaml,yml,json}", { cwd: folder }).sort()) {
      const path = join(folder, file);
      const text = existsSync(path) ? readFileSync(path, "utf8") : "";
      if (this.#tried.get(file) === text || !IS_WORKFLOW.test(text)) continue;
      this.#tried.set(file, text);
      try {
        const { workflow, created } = await deployLatest(gateway, text, clock.now());
        output.note(`${file}: ${workflow.namespace}/${workflow.name} ${workflow.version} ${created ? "deployed" : "is deployed"}`);
      } catch (error) {
        output.note(`${file}:`);
        output.complain(error);
      }
    }
  }

  /** Deploys what changes from now on, until the returned function is called. */
  follow(): () => Promise<void> {
    const { folder, clock } = this.#options;
    const watcher = watch(folder, () => {
      this.#cancelTimer?.();
      this.#cancelTimer = clock.schedule(SETTLE_MS, () => {
        this.#deploying = this.#deploying.then(() => this.deployAll());
      });
    });
    return async () => {
      watcher.close();
      this.#cancelTimer?.();
      await this.#deploying;
    };
  }
}
