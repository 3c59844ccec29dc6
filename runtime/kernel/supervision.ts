/**
 * What a parent does about a child's failure. Pure: a failure goes in, a verdict comes out; the supervisor carries it out.
 */
import { addRestart, type Backoff, backoffMs, checkBackoff, checkIntensity, type RestartIntensity, type RestartTimes } from "./restart-window.ts";

/** What to do about one failure: go on with the same instance, with a fresh one, not at all, or make it the parent's failure. */
export type Directive = "resume" | "restart" | "stop" | "escalate";

/** Whom a restart or stop concerns: the child that failed; all children; or that child and those that were spawned after it. */
export type SupervisionStrategy = "one-for-one" | "one-for-all" | "rest-for-one";

/** A child's failure as the decider sees it. */
export interface Failure {
  /** Path of the child. */
  readonly path: string;
  /** What was thrown. */
  readonly error: unknown;
  /** Restarts of this child that the window remembers. */
  readonly restarts: number;
}

/** How a parent supervises its children. Make one with {@link supervisionPolicy}. */
export interface SupervisionPolicy {
  readonly strategy: SupervisionStrategy;
  /** Must be a pure function. If it throws, the failure is escalated. */
  readonly decide: (failure: Failure) => Directive;
  /** How many restarts of one child are allowed; the default is 10 in a minute. */
  readonly intensity: RestartIntensity;
  /** The default is 10 ms, doubled up to 5 s, of which chance takes off up to a fifth. */
  readonly backoff: Backoff;
  /** What happens to a child that exceeds its intensity: it is parked while its siblings go on, or the parent fails. */
  readonly onExceeded: "quarantine" | "escalate";
}

/** What is to be done about a failure. */
export type Verdict =
  | { readonly kind: "resume" | "stop" | "escalate" }
  | { readonly kind: "restart"; readonly delayMs: number; readonly times: RestartTimes }
  | { readonly kind: "quarantine"; readonly failures: number };

const DEFAULT_POLICY: SupervisionPolicy = Object.freeze({
  strategy: "one-for-one",
  decide: () => "restart" as const,
  intensity: Object.freeze({ maxRestarts: 10, withinMs: 60_000 }),
  backoff: Object.freeze({ initialMs: 10, maxMs: 5_000, factor: 2, jitter: 0.2 }),
  onExceeded: "escalate",
});

/** A policy: the defaults (one for one, restart, then escalate) with what `changes` names. Throws InvariantBroken for numbers without sense. */
export function supervisionPolicy(changes: Partial<SupervisionPolicy> = {}): SupervisionPolicy {
  const policy = { ...DEFAULT_POLICY, ...changes };
  checkIntensity(policy.intensity);
  checkBackoff(policy.backoff);
  return Object.freeze(policy);
}

/** The verdict on a failure. `times` are the child's restarts so far, `nowMs` is monotonic, `fraction` is chance from 0 to 1. */
export function judge(policy: SupervisionPolicy, failure: Omit<Failure, "restarts">, times: RestartTimes, nowMs: number, fraction: number): Verdict {
  const directive = decideSafely(policy, { ...failure, restarts: times.length });
  if (directive !== "restart") return { kind: directive };
  const next = addRestart(times, nowMs, policy.intensity);
  if (next !== undefined) return { kind: "restart", delayMs: backoffMs(policy.backoff, next.length, fraction), times: next };
  if (policy.onExceeded === "escalate") return { kind: "escalate" };
  return { kind: "quarantine", failures: policy.intensity.maxRestarts + 1 };
}

/** The children, of all in order of their spawning, that a restart or stop of `failed` concerns, in the same order. */
export function affected<T>(strategy: SupervisionStrategy, children: Iterable<T>, failed: T): readonly T[] {
  if (strategy === "one-for-one") return [failed];
  const all = [...children];
  return strategy === "one-for-all" ? all : all.slice(all.indexOf(failed));
}

/** A decider that throws has no say: the next level up decides. */
function decideSafely(policy: SupervisionPolicy, failure: Failure): Directive {
  try {
    return policy.decide(failure);
  } catch {
    return "escalate";
  }
}
