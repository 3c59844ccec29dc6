/** The gateway of a whole node, with PostgreSQL, actors and worker threads behind it. */
import { join } from "node:path";
import { connect } from "../../../gateway/grpc-client.ts";
import { loadConfig } from "../../../ops/config.ts";
import { startNode } from "../../../ops/node.ts";
import { HEAD } from "../../support/compile-document.ts";
import { freshDatabase, temporaryFolder } from "../../support/pg-fixture.ts";
import type { HostileWorld } from "./world.ts";

const KNOWN_RUNS = 6;

/** Opens it, with the workflow `echo`, which answers its input at once, and one that waits for a signal. */
export async function openNodeWorld(): Promise<HostileWorld> {
  const folder = temporaryFolder();
  const ports = { grpcPort: "0", opsPort: "0" };
  const flags = { ...ports, data: folder, pgUrl: await freshDatabase(), threads: "1", logFile: join(folder, "node.log") };
  const node = await startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false });
  const broken: unknown[] = [];
  node.events.on("request.broken", ({ error }) => broken.push(error));
  const client = connect(node.grpcAddress, { timeoutMs: 10_000 });
  const head = HEAD.replace("test", "default");
  const { workflow: echo } = await client.deploy(`${head.replace("sample", "echo")}do: [{ t: { set: "\${ . }" } }]\n`);
  const { workflow: waiting } = await client.deploy(
    `${head.replace("sample", "waiting")}do: [{ t: { call: signal@default, with: { name: go } } }]\n`,
  );
  client.close();
  const world = { address: node.grpcAddress, broken, waitingCalls: 0, isIdle: true, runIds: [] as readonly string[] };
  const renew = async (): Promise<void> => {
    const common = { input: "{}", userId: "tester", labels: {}, traceParent: "" };
    const starts = Array.from({ length: KNOWN_RUNS }, (_, at) =>
      node.runs.start({ ...common, workflowId: (at % 2 === 0 ? waiting : echo)?.id ?? "" }),
    );
    world.runIds = (await Promise.all(starts)).map(({ runId }) => runId);
  };
  await renew();
  return Object.assign(world, { renew, close: () => node.stop() });
}
