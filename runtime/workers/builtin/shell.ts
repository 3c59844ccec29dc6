/**
 * The built-in handler `shell`: one shell command, with the semantics of `run: shell` of the Open Workflow Specification. It runs in the
 * `process` tier and sees nothing of the node's environment but what every program needs.
 */
import type { Clock } from "../../clock.ts";
import { LIMITS } from "../../limits.ts";
import { defineTask, type TaskDefinition, TaskError } from "../define-task.ts";
import { type Command, type CommandResult, executeCommand } from "./command.ts";
import { ERROR_TYPES, inputInvalid, isObject, TaskInput } from "./task-input.ts";

/** Name of the handler. */
export const SHELL = "shell";

const RETURNS = ["stdout", "stderr", "code", "all", "none"] as const;

/** Variables of the node that a command inherits. Anything else may be a secret. */
const INHERITED = ["PATH", "HOME", "LANG", "TMPDIR"];

/** The handler. */
export function shellTask(clock: Clock): TaskDefinition {
  return defineTask({
    name: SHELL,
    tier: "process",
    run: async (value, { signal }) => {
      const input = new TaskInput(SHELL, value);
      const wanted = input.choice("return", RETURNS, "stdout");
      const result = await executeCommand(commandOf(input), signal, clock);
      if (result.code !== 0 && wanted !== "code" && wanted !== "all") throw exitError(result);
      return wanted === "all" ? result : wanted === "none" ? null : result[wanted];
    },
  });
}

function commandOf(input: TaskInput): Command {
  return {
    script: input.requiredText("command"),
    arguments: argumentsOf(input),
    environment: { ...inherited(), ...input.texts("environment") },
    stdin: input.text("stdin") ?? "",
    cwd: input.text("cwd"),
  };
}

/** A list as it is; an object as its names, each followed by its value unless that is null. */
function argumentsOf(input: TaskInput): string[] {
  const value = input.value("arguments") ?? [];
  if (Array.isArray(value)) return value.map((item, index) => input.scalar(`arguments[${index}]`, item));
  if (!isObject(value)) throw inputInvalid(SHELL, "arguments", "must be an array or an object");
  return Object.entries(value).flatMap(([name, item]) => (item === null ? [name] : [name, input.scalar(`arguments.${name}`, item)]));
}

function inherited(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

function exitError({ code, stderr }: CommandResult): TaskError {
  const tail = stderr.slice(-LIMITS.logLineBytes / 4);
  const lastLine = tail.trimEnd().split("\n").at(-1) ?? "";
  const message = lastLine === "" ? `The command ended with code ${code}.` : `The command ended with code ${code}: ${lastLine}`;
  return new TaskError(message, { type: ERROR_TYPES.runtime, status: 500, title: "Runtime Error", details: { code, stderr: tail } });
}
