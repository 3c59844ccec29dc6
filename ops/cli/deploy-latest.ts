/**
 * Deploys a document so that it is what the next run executes, whatever was deployed under its version before: for `maestro dev` and the demo,
 * where people edit documents and do not raise versions.
 */
import { MaestroError } from "../../runtime/errors.ts";
import type { Gateway } from "./gateway-port.ts";
import type { Workflow } from "./wire.ts";
import { withVersion } from "./yaml-dev-version.ts";

/** What documents are deployed to. */
export type Deployer = Pick<Gateway, "deploy" | "workflow">;

/** The version that the next run executes, and whether it is a new one. `nowMs` names a version of its own, if one is needed. */
export async function deployLatest(
  gateway: Deployer,
  text: string,
  nowMs: number,
): Promise<{ readonly workflow: Workflow; readonly created: boolean }> {
  const deployed = await deployAsIs(gateway, text);
  if (deployed?.created === true) return deployed;
  const checked = deployed?.workflow ?? (await gateway.deploy(withVersion(text, "0.0.0-dev"), true)).workflow;
  const latest = await gateway.workflow({ namespace: checked.namespace, name: checked.name, version: "" });
  if (latest.id === deployed?.workflow.id || latest.document === withVersion(text, latest.version)) return { workflow: latest, created: false };
  const base = (deployed?.workflow.version ?? latest.version).replace(/[-+].*$/, "");
  return gateway.deploy(withVersion(text, `${base}-dev.${nowMs}`), false);
}

async function deployAsIs(gateway: Deployer, text: string): Promise<{ readonly workflow: Workflow; readonly created: boolean } | undefined> {
  try {
    return await gateway.deploy(text, false);
  } catch (error) {
    if (error instanceof MaestroError && error.code === "WORKFLOW_IN_CONFLICT") return undefined;
    throw error;
  }
}
