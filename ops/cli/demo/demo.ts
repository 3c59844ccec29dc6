/**
 * The demo: a node of its own, the example pipelines, and one run of `build-test-deploy` on a real service, with visitors coming and going
 * meanwhile. Everything that it starts it ends, unless it is told to keep it.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { toMaestroError } from "../../../runtime/errors.ts";
import { newUuid } from "../../../runtime/ids.ts";
import { pause } from "../../../runtime/storage/pause.ts";
import { loadConfig } from "../../config.ts";
import { type RunningNode, startNode } from "../../node.ts";
import type { CliContext } from "../cli-context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { followRun } from "../follow-run.ts";
import type { Gateway } from "../gateway-port.ts";
import type { RunTree } from "../run-tree.ts";
import { WorkflowFolder } from "../workflow-folder.ts";
import { DemoSite, EXAMPLES, SERVICE_SOURCE } from "./demo-site.ts";
import { DemoVisitors, type VisitorReport } from "./demo-visitors.ts";

/** The version that serves when the demo begins, and the one that it releases. */
const VERSIONS = { old: "1.0.0", new: "1.1.0" } as const;

/** The workflow that is shown. */
const PIPELINE = { namespace: "default", name: "build-test-deploy" } as const;

/** Runs of the pipeline that are listed at most. */
const LEFT_RUNS_MAX = 100;

/** How long visitors still come after the run has ended. */
const LAST_VISITS_MS = 400;

/** What the demo is asked. */
export interface DemoRequest {
  /** What is to fail: in the words of who asked, and as the step of the pipeline. */
  readonly failAt: { readonly asked: string; readonly step: string } | undefined;
  /** Leaves node and site running until Ctrl-C. */
  readonly keep: boolean;
}

/** Runs the demo; answers the exit code. */
export async function runDemo(context: CliContext, request: DemoRequest): Promise<ExitCode> {
  const home = join(context.cwd, ".maestro", "demo");
  const site = new DemoSite(join(home, "site"), context.clock, newUuid(context.random));
  context.output.note("Starting a node with a PostgreSQL of its own. The first time takes a few seconds.");
  await mkdir(home, { recursive: true });
  const node = await openDemoNode(context, home);
  const gateway = context.connect(node.grpcAddress);
  try {
    return await perform(context, request, node, gateway, site, home);
  } finally {
    gateway.close();
    await site.close();
    await node.stop();
  }
}

function openDemoNode(context: CliContext, home: string): Promise<RunningNode> {
  const config = loadConfig({
    env: {},
    defaults: {
      dataFolder: join(home, "node"),
      logFile: join(home, "node.log"),
      handlersFolder: join(EXAMPLES, "handlers"),
      nodeName: "demo",
      grpcPort: 0,
      opsPort: 0,
      allowShell: true,
      threads: 2,
    },
  });
  const { interrupted: signal, clock, random } = context;
  return startNode({ config, prettyLog: false, signal, hurried: context.hurried(), clock, random });
}

async function perform(
  context: CliContext,
  request: DemoRequest,
  node: RunningNode,
  gateway: Gateway,
  site: DemoSite,
  home: string,
): Promise<ExitCode> {
  const { output, clock, interrupted } = context;
  output.note("Deploying the example pipelines:");
  await new WorkflowFolder({ folder: EXAMPLES, gateway, output, clock }).deployAll();
  await endLeftRuns(context, gateway);
  const frontUrl = await site.open(VERSIONS.old);
  output.note(`\nThe service parcel-quotes ${VERSIONS.old} serves at ${frontUrl}/quote?weightGrams=1500&distanceKm=120`);
  output.note(`Releasing ${VERSIONS.new}${request.failAt === undefined ? "" : `, which is asked to fail at "${request.failAt.asked}"`}:\n`);
  const visitors = new DemoVisitors(frontUrl, clock);
  visitors.start();
  const input = JSON.stringify({ version: VERSIONS.new, source: SERVICE_SOURCE, site: site.folder, failAt: request.failAt?.step ?? "" });
  const { runId } = await gateway.start({ ...PIPELINE, version: "", input, labels: { demo: "true" }, idempotencyKey: "" });
  const tree = await followRun(context, gateway, runId);
  await pause(LAST_VISITS_MS, clock);
  const report = await visitors.stop();
  if (interrupted.aborted) return EXIT.interrupted;
  const code = conclude(context, request, tree, report);
  tellWhereToLook(context, request, node, runId, home);
  if (request.keep) await node.stopped;
  return code;
}

/** The run of a demo that was interrupted goes on with the node, as every run does, and would release to the same site. */
async function endLeftRuns({ output }: CliContext, gateway: Gateway): Promise<void> {
  const runs = await gateway.runs({ namespace: PIPELINE.namespace, workflow: PIPELINE.name, statuses: [], limit: LEFT_RUNS_MAX });
  for (const { runId } of runs.filter((run) => run.endedAt === undefined)) {
    output.note(`The run ${runId} of an earlier demo goes on where it was interrupted; this demo terminates it.`);
    await gateway.terminate(runId, "another demo begins").catch((error: unknown) => {
      if (toMaestroError(error).code !== "RUN_ENDED") throw error;
    });
  }
}

/** Says how it went. */
function conclude({ output }: CliContext, { failAt }: DemoRequest, tree: RunTree, report: VisitorReport): ExitCode {
  const answers = [...report.answeredBy].map(([version, count]) => `${count} answered by ${version}`).join(", ");
  output.note(`\nVisitors meanwhile: ${answers}, ${report.failed} failed.`);
  if (failAt === undefined) {
    if (tree.status === "completed") output.note(`Version ${VERSIONS.new} serves.`);
    return tree.status === "completed" ? EXIT.ok : EXIT.runNotCompleted;
  }
  const isUndone = tree.status === "failed" && tree.undo.every((node) => node.status === "completed");
  if (!isUndone) {
    output.note(`The run should have failed at "${failAt.asked}" and undone its steps, but it ended as ${tree.status}.`);
    return EXIT.runNotCompleted;
  }
  const count = tree.undo.length;
  const undone = count === 0 ? "There was nothing to undo yet." : `It undid ${count} step${count === 1 ? "" : "s"} in reverse order.`;
  output.note(`The run failed because it was asked to. ${undone} Version ${VERSIONS.old} still serves.`);
  output.note("The exit code is 0: the undo is what was to be shown.");
  return EXIT.ok;
}

function tellWhereToLook({ output }: CliContext, request: DemoRequest, node: RunningNode, runId: string, home: string): void {
  output.note("\nWhere to look next:");
  if (request.keep) {
    output.note(`  export MAESTRO_ADDRESS=${node.grpcAddress}   then, in another terminal:`);
    output.note(`  npx maestro runs show ${runId}          npx maestro runs history ${runId}`);
    output.note("  npx maestro run approval --wait         npx maestro workflows list");
    output.note(`  http://127.0.0.1:${node.opsPort}/metrics   http://127.0.0.1:${node.opsPort}/readyz`);
    output.note("Everything stays up until Ctrl-C.");
    return;
  }
  output.note(`  the pipeline        ${join(EXAMPLES, "build-test-deploy.yaml")}`);
  output.note(`  the node's log      ${join(home, "node.log")}`);
  if (request.failAt === undefined) output.note("  see the undo        npm run demo -- --fail-at deploy");
  output.note("  keep it running     npm run demo -- --keep");
  output.note("  your own pipelines  npx maestro dev FOLDER");
}
