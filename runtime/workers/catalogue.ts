/**
 * The task handlers of a folder, loaded into this thread. Owns which files count and which exports are handlers; executes none of them.
 * User modules are loaded in worker threads only: what they do at load must not touch the node.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MaestroError, messageOf } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { isTaskDefinition, optionsOf, type TaskDefinition } from "./define-task.ts";
import { definitionFaults } from "./definition-faults.ts";
import type { HandlerInfo } from "./pool.ts";

/** Names that no handler can have, because a call by that name does not come here. */
const RESERVED_NAMES: readonly string[] = ["signal"];

/** A handler that this thread can execute. */
export interface LoadedHandler {
  readonly info: HandlerInfo;
  readonly run: TaskDefinition["run"];
}

/**
 * Loads the built-in handlers and those of the modules in `folder` (one level; empty: none).
 *
 * @throws HANDLER_INVALID with the file and the reason, if the folder can't be read, a module does not load, a definition has faults, two
 * handlers share a name, or one has a name that is reserved.
 */
export async function loadCatalogue(builtin: readonly TaskDefinition[], folder: string): Promise<Map<string, LoadedHandler>> {
  const catalogue = new Map<string, LoadedHandler>();
  for (const definition of builtin) add(catalogue, definition, "");
  if (folder === "") return catalogue;
  for (const name of await moduleNames(folder)) {
    const file = join(folder, name);
    for (const definition of await definitionsIn(file)) add(catalogue, definition, file);
  }
  return catalogue;
}

/** True if a file of that name in the handlers' folder is loaded. Tests, declarations and names that begin with `_` or `.` are not. Exported for tests. */
export function isHandlerModule(name: string): boolean {
  return /\.(ts|mts|js|mjs)$/.test(name) && !/\.(test|d)\.m?[tj]s$/.test(name) && !/^[_.]/.test(name);
}

async function moduleNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw refused(folder, messageOf(error));
  });
  const names = entries.filter((entry) => !entry.isDirectory() && isHandlerModule(entry.name)).map((entry) => entry.name);
  if (names.length > LIMITS.handlerFiles) throw refused(folder, `it has ${names.length} modules; at most ${LIMITS.handlerFiles} are loaded`);
  return names.sort();
}

async function definitionsIn(file: string): Promise<TaskDefinition[]> {
  const module = await importModule(file);
  const definitions = [...new Set(Object.values(module).filter(isTaskDefinition))];
  if (definitions.length === 0) throw refused(file, "it exports no handler made with defineTask");
  const faults = definitions.flatMap((definition) => definitionFaults(definition).map((fault) => `${String(definition.name)}: ${fault}`));
  if (faults.length > 0) throw refused(file, faults.join("; "));
  return definitions;
}

async function importModule(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    throw refused(file, loadFault(error), error);
  }
}

/** Why a module did not load. Node.js says of one rule only what was broken, not what to do. */
function loadFault(error: unknown): string {
  const message = messageOf(error);
  return message.includes("outside a module") ? `${message}: say "type": "module" in the package.json next to its folder` : message;
}

function add(catalogue: Map<string, LoadedHandler>, definition: TaskDefinition, file: string): void {
  const { name } = definition;
  if (RESERVED_NAMES.includes(name)) throw refused(file, `the name ${name} is reserved`);
  const other = catalogue.get(name);
  if (other !== undefined) {
    const where = other.info.file === "" ? "is built in" : `is also defined in ${other.info.file}`;
    throw refused(file, `the handler ${name} ${where}`);
  }
  catalogue.set(name, { info: { name, file, options: optionsOf(definition) }, run: definition.run.bind(definition) });
}

function refused(file: string, reason: string, cause?: unknown): MaestroError {
  return new MaestroError("HANDLER_INVALID", { facts: { file, reason }, cause });
}
