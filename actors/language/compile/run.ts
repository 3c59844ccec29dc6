/**
 * `run: { shell }`. The built-in handler is given `{ command, stdin?, arguments?, environment?, return: "stdout" | "stderr" | "code" |
 * "all" | "none" }`. Containers, scripts and workflows are refused.
 */
import { ERRORS } from "../../../runtime/error-registry.ts";
import { ConstantTemplate } from "../constant-template.ts";
import type { Template } from "../expression.ts";
import type { Fields } from "../fields.ts";
import type { CallNode } from "../model.ts";
import { RecordTemplate } from "../record-template.ts";
import type { Compilation, TaskSite } from "./compilation.ts";

/** `run`. */
export function compileRun(fields: Fields, site: TaskSite, compilation: Compilation): CallNode {
  const run = fields.requiredMapping("run");
  const others = ["container", "script", "workflow"].filter((name) => run.unsupported(name));
  const shell = others.length > 0 ? run.mapping("shell") : run.requiredMapping("shell");
  if (shell !== undefined && run.has("shell") && !compilation.capabilities.allowShell) {
    compilation.violations.add(run.at("shell"), `shell commands are not allowed on this node. ${ERRORS.SHELL_DISABLED.advice}`);
  }
  if (run.flag("await") === false) {
    compilation.violations.add(run.at("await"), "await: false is not supported by this version: remove it, or put the task in a branch of a fork.");
  }
  const what = run.oneOf("return", ["stdout", "stderr", "code", "all", "none"]) ?? "stdout";
  run.close();
  const request = shell && compileShell(shell, what, site.variables.inTask, compilation);
  return { ...site.base, kind: "run", handler: "shell", request };
}

function compileShell(shell: Fields, what: string, visible: readonly string[], compilation: Compilation): Template {
  const command = shell.requiredText("command");
  if (command?.trim() === "") compilation.violations.add(shell.at("command"), "is empty: write the command to run.");
  shell.text("stdin");
  const list = shell.json("arguments");
  if (list !== undefined && !(Array.isArray(list) && list.every((item) => typeof item === "string"))) {
    compilation.violations.add(shell.at("arguments"), "must be a list of texts: quote each.");
  }
  shell.mapping("environment");
  shell.close();
  const optional = (name: string) => {
    const value = shell.json(name);
    return value === undefined ? undefined : compilation.expressions.template(value, shell.at(name), visible);
  };
  return new RecordTemplate({
    command: optional("command"),
    stdin: optional("stdin"),
    arguments: optional("arguments"),
    environment: optional("environment"),
    return: new ConstantTemplate(what),
  });
}
