/**
 * Errors of the registry on their way between nodes: with everything that a client is to be told, so that it makes no difference which node it asked.
 */
import type { Failure } from "../../proto/gen/maestro/cluster/v1/run_call.ts";
import { ERRORS } from "../../runtime/error-registry.ts";
import { type ErrorCode, MaestroError, toMaestroError } from "../../runtime/errors.ts";

/** An error as a message. */
export function failureMessage(error: unknown): Failure {
  const { code, facts, violations, retryAfterMs } = toMaestroError(error);
  const textFacts: Record<string, string> = {};
  const numberFacts: Record<string, number> = {};
  for (const [name, fact] of Object.entries(facts)) {
    if (typeof fact === "string") textFacts[name] = fact;
    else numberFacts[name] = fact;
  }
  return {
    code,
    textFacts,
    numberFacts,
    violations: [...violations],
    retryAfterMs: retryAfterMs === undefined ? undefined : Math.ceil(retryAfterMs),
  };
}

/** A message as an error. A code that only a newer version knows is INTERNAL. */
export function errorOf(failure: Failure): MaestroError {
  const { code, textFacts, numberFacts, violations, retryAfterMs } = failure;
  if (!Object.hasOwn(ERRORS, code)) return new MaestroError("INTERNAL", { facts: { reason: `another node answered with ${code}` } });
  const facts = { ...textFacts, ...numberFacts };
  return new MaestroError(code as ErrorCode, { facts, violations, ...(retryAfterMs !== undefined && { retryAfterMs }) });
}
