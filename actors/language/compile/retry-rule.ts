/** `retry`: when, how often and after which delays a `try` runs its body again. */
import { Fields } from "../fields.ts";
import type { RetryRule } from "../model.ts";
import type { Variables } from "../variables.ts";
import type { Compilation } from "./compilation.ts";
import { compileDuration } from "./data-flow.ts";
import type { Placed } from "./reusable.ts";

const BACKOFFS = ["constant", "linear", "exponential"] as const;
const MOST_RETRIES = 1_000_000;

/** `retry` of a `catch`, inline or by name, if present. The variables include that of the error. */
export function compileRetry(owner: Fields, variables: Variables, compilation: Compilation): RetryRule | undefined {
  const value = owner.json("retry");
  const placed = value === undefined ? undefined : compilation.reusable.resolve("retries", value, owner.at("retry"));
  if (placed === undefined) return undefined;
  return compilation.retries.get(placed, variables.own, (part) => compileRetryDefinition(part, variables, compilation));
}

/** The definition of a retry rule. */
export function compileRetryDefinition({ value, pointer }: Placed, variables: Variables, compilation: Compilation): RetryRule {
  const { expressions } = compilation;
  const retry = Fields.of(value, pointer, compilation.violations);
  const visible = variables.inTask;
  const rule: RetryRule = {
    when: expressions.expression(retry.json("when"), retry.at("when"), visible),
    exceptWhen: expressions.expression(retry.json("exceptWhen"), retry.at("exceptWhen"), visible),
    delay: compileDuration(retry.json("delay"), retry.at("delay"), visible, compilation),
    backoff: compileBackoff(retry, compilation),
    jitter: compileJitter(retry, visible, compilation),
    ...compileLimit(retry, visible, compilation),
  };
  retry.close();
  return rule;
}

function compileBackoff(retry: Fields, compilation: Compilation): RetryRule["backoff"] {
  const backoff = retry.mapping("backoff");
  if (backoff === undefined) return "constant";
  const named = BACKOFFS.filter((name) => backoff.has(name));
  for (const name of named) if (backoff.json(name) !== null) backoff.mapping(name)?.close();
  backoff.close();
  if (named.length !== 1) compilation.violations.add(backoff.pointer, `must name one of ${BACKOFFS.join(", ")}, as in { exponential: {} }.`);
  return named[0] ?? "constant";
}

function compileJitter(retry: Fields, visible: readonly string[], compilation: Compilation): RetryRule["jitter"] {
  const jitter = retry.mapping("jitter");
  if (jitter === undefined) return undefined;
  const from = compileDuration(jitter.requiredJson("from"), jitter.at("from"), visible, compilation);
  const to = compileDuration(jitter.requiredJson("to"), jitter.at("to"), visible, compilation);
  jitter.close();
  return from === undefined || to === undefined ? undefined : { from, to };
}

function compileLimit(retry: Fields, visible: readonly string[], compilation: Compilation): Pick<RetryRule, "attempts" | "duration"> {
  const limit = retry.mapping("limit");
  const attempt = limit?.mapping("attempt");
  const attempts = attempt?.integer("count", 0, MOST_RETRIES);
  attempt?.unsupported("duration", "Set a timeout on the tasks in the try, or limit.duration for all retries.");
  attempt?.close();
  const duration = limit && compileDuration(limit.json("duration"), limit.at("duration"), visible, compilation);
  limit?.close();
  return { attempts, duration };
}
