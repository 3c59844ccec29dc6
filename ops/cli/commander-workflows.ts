/**
 * Commands about workflow documents: `deploy`, `workflows ...`.
 */
import type { Command } from "commander";
import { MaestroError } from "../../runtime/errors.ts";
import { type CliContext, withGateway } from "./cli-context.ts";
import { commandHint } from "./command-hint.ts";
import { readText } from "./json-argument.ts";
import { isoOf, printableWorkflow } from "./wire.ts";

interface Common {
  readonly address?: string;
}

interface Named extends Common {
  readonly namespace: string;
  readonly version: string;
}

/** Adds the commands to a program. `shared` gives a command the options that all clients have. */
export function addWorkflowCommands(program: Command, context: CliContext, shared: (command: Command) => Command): void {
  addDeploy(program, context, shared);
  const workflows = program.command("workflows").description("Look at deployed workflows.");
  shared(workflows.command("list"))
    .description("List deployed workflows, newest first.")
    .option("--namespace <name>", "only of this namespace", "")
    .option("--name <name>", "only of this name", "")
    .action((options: Common & { readonly namespace: string; readonly name: string }) =>
      withGateway(context, options.address, async (gateway) => {
        const found = await gateway.workflows({ namespace: options.namespace, name: options.name, limit: 1_000 });
        const rows = found.map((workflow) => [workflow.name, workflow.version, workflow.namespace, isoOf(workflow.createdAt), workflow.title]);
        const empty = `No workflow is deployed yet: ${commandHint(context.env, "deploy FILE", gateway.address)}`;
        context.output.table(found.map(printableWorkflow), ["NAME", "VERSION", "NAMESPACE", "DEPLOYED", "TITLE"], rows, empty);
      }),
    );
  const named = (command: Command): Command =>
    shared(command).option("--namespace <name>", "namespace of the workflow", "default").option("--version <version>", "one version", "");
  named(workflows.command("show <name>"))
    .description("Print a workflow's document: the latest version, or the one given.")
    .action((name: string, { address, namespace, version }: Named) =>
      withGateway(context, address, async (gateway) => {
        const workflow = await gateway.workflow({ namespace, name, version });
        context.output.answer(printableWorkflow(workflow), () => workflow.document.trimEnd());
      }),
    );
  named(workflows.command("delete <name>"))
    .description("Take a workflow out of use: all versions, or the one given. Its runs go on.")
    .action((name: string, { address, namespace, version }: Named) =>
      withGateway(context, address, async (gateway) => {
        const deleted = await gateway.deleteWorkflow({ namespace, name, version });
        context.output.answer({ name, deleted }, () => `${deleted} version${deleted === 1 ? "" : "s"} taken out of use.`);
      }),
    );
}

function addDeploy(program: Command, context: CliContext, shared: (command: Command) => Command): void {
  shared(program.command("deploy <file...>"))
    .description("Deploy workflow documents (YAML or JSON).")
    .option("--dry-run", "check only; store nothing")
    .action((files: string[], options: Common & { readonly dryRun?: true }) => {
      const documents = files.map((file) => ({ file, text: readText(file, file) }));
      return withGateway(context, options.address, async (gateway) => {
        for (const { file, text } of documents) {
          const { workflow, created } = await gateway.deploy(text, options.dryRun === true).catch((error: unknown) => {
            throw inFile(file, error);
          });
          const what = options.dryRun === true ? "is valid" : created ? "deployed" : "was deployed before";
          context.output.answer(
            { file, created, ...printableWorkflow(workflow) },
            () => `${workflow.namespace}/${workflow.name} ${workflow.version} ${what} (${file})`,
          );
        }
      });
    });
}

/** An error about places in a document, with its file in front of each place. */
function inFile(file: string, error: unknown): unknown {
  if (!(error instanceof MaestroError) || error.violations.length === 0) return error;
  const violations = error.violations.map(({ field, description }) => ({ field: `${file} ${field}`, description }));
  return new MaestroError(error.code, { facts: error.facts, violations, cause: error });
}
