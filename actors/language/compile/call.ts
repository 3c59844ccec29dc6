/** `call`: a registered handler (`NAME@default`), a signal (`signal@default`) or `http`. The other calls of the specification are refused. */
import { LIMITS } from "../../../runtime/limits.ts";
import { ConstantTemplate } from "../constant-template.ts";
import type { Fields } from "../fields.ts";
import type { CallNode, SignalNode } from "../model.ts";
import { hint } from "../suggest.ts";
import { compileHttp } from "./call-http.ts";
import type { Compilation, TaskSite } from "./compilation.ts";

const UNSUPPORTED = ["asyncapi", "grpc", "openapi", "a2a", "mcp"];
/** Names that are not those of registered handlers: the language gives them a meaning. */
const RESERVED = ["http", "shell"];
const CATALOGUE = "@default";

/** `call`, `with`. */
export function compileCall(fields: Fields, site: TaskSite, compilation: Compilation): CallNode | SignalNode {
  const call = fields.requiredText("call") ?? "";
  if (call === "http") return compileHttp(fields, site, compilation);
  if (call === `signal${CATALOGUE}`) return compileSignal(fields, site, compilation);
  const handler = call.endsWith(CATALOGUE) ? call.slice(0, -CATALOGUE.length) : undefined;
  const fault = handler === undefined ? faultOfFunction(call, compilation) : faultOfHandler(handler, compilation);
  if (fault !== undefined) compilation.violations.add(fields.at("call"), fault);
  else if (handler !== undefined) compilation.handlers.add(handler);
  const given = fields.mapping("with");
  const request = given && fault === undefined ? compilation.expressions.template(given.source, given.pointer, site.variables.inTask) : undefined;
  return { ...site.base, kind: "call", handler: handler ?? call, request };
}

function faultOfFunction(call: string, compilation: Compilation): string | undefined {
  if (call === "") return undefined;
  if (UNSUPPORTED.includes(call)) return `call: ${call} is not supported by this version. Call a handler instead: NAME@default.`;
  if (call.includes("@")) return `${call}: catalogs are not supported by this version, only @default is.`;
  const known = [...callable(compilation.capabilities.handlers ?? []), "signal"];
  if (known.includes(call)) return `functions of the document are not supported by this version. Did you mean ${call}${CATALOGUE}?`;
  return `functions of the document are not supported by this version: call a handler as NAME@default.${hint(call, known)}`;
}

function faultOfHandler(handler: string, compilation: Compilation): string | undefined {
  if (handler.includes(":")) return `versions of handlers are not supported by this version: write ${handler.split(":")[0]}${CATALOGUE}.`;
  if (RESERVED.includes(handler)) return `${handler} is not the name of a handler: write call: http, or run: { shell }.`;
  const { handlers } = compilation.capabilities;
  if (handlers === undefined || handlers.has(handler)) return undefined;
  const known = hint(handler, callable(handlers));
  return `no task handler is called ${handler}.${known === "" ? " This node has none: put a module with it in the handlers folder." : known}`;
}

/** The handlers that a document may name. */
function callable(handlers: Iterable<string>): string[] {
  return [...handlers].filter((name) => !RESERVED.includes(name));
}

function compileSignal(fields: Fields, site: TaskSite, compilation: Compilation): SignalNode {
  const given = fields.requiredMapping("with");
  const name = given.requiredText("name") ?? "";
  given.close();
  const signal = name === "" ? new ConstantTemplate(name) : compilation.expressions.template(name, given.at("name"), site.variables.inTask);
  if (given.has("name") && (name === "" || (signal.constant !== undefined && name.length > LIMITS.keyLength))) {
    compilation.violations.add(given.at("name"), `must be a text of 1 to ${LIMITS.keyLength} characters.`);
  }
  return { ...site.base, kind: "signal", signal };
}
