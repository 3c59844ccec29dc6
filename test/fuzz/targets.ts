/** The targets by name, in the order in which they are run. */
import { documentTarget } from "./deploy/document-target.ts";
import { expressionTarget } from "./deploy/expression-target.ts";
import { gatewayTarget, nodeTarget } from "./gateway/gateway-target.ts";
import { journalTarget } from "./journal/journal-target.ts";
import { pgBed } from "./journal/pg-bed.ts";
import type { FuzzTarget } from "./target.ts";
import { workerTarget } from "./workers/worker-target.ts";

/** What the command line says about targets. */
export interface TargetOptions {
  /** A folder with more documents. */
  readonly corpus: string | undefined;
}

/** Opens a target. */
export type OpenTarget = (options: TargetOptions) => Promise<FuzzTarget>;

/** See the file header. */
export const TARGETS: Readonly<Record<string, OpenTarget>> = {
  expressions: async () => expressionTarget() as FuzzTarget,
  documents: async ({ corpus }) => documentTarget(corpus) as FuzzTarget,
  gateway: async () => (await gatewayTarget()) as FuzzTarget,
  node: async () => (await nodeTarget()) as FuzzTarget,
  journal: async () => (await journalTarget()) as FuzzTarget,
  "journal-pg": async () => (await journalTarget({ bed: await pgBed(), name: "journal-pg" })) as FuzzTarget,
  workers: async () => (await workerTarget()) as FuzzTarget,
};
