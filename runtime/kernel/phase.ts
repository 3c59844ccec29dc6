/**
 * The phases of an actor's life, and which may follow which. Plain numbers, because there are very many actors.
 */
import { invariant } from "../assert.ts";

/** A phase; see {@link Phase}. */
export type PhaseCode = number;

/** What each phase means. */
export const Phase = Object.freeze({
  /** Handles messages. */
  running: 0,
  /** Something was thrown; messages wait for the supervisor's verdict or for the end of the backoff. */
  failed: 1,
  /** The children and the old instance go; a new instance follows. Messages wait. */
  restarting: 2,
  /** The children and the instance go, to leave memory. Messages wait for the parent. */
  passivating: 3,
  /** The instance is gone; messages wait until the parent takes them. */
  passivated: 4,
  /** The children and the instance go, to be parked. Messages are refused. */
  quarantining: 5,
  /** Parked. Messages are refused. */
  quarantined: 6,
  /** The children and the instance go for good. Messages are refused. */
  stopping: 7,
  /** Gone. */
  terminated: 8,
});

const FOLLOWERS: readonly (readonly PhaseCode[])[] = [
  [Phase.failed, Phase.restarting, Phase.passivating, Phase.quarantining, Phase.stopping],
  [Phase.running, Phase.restarting, Phase.quarantining, Phase.stopping],
  [Phase.running, Phase.failed, Phase.quarantining, Phase.stopping],
  [Phase.passivated, Phase.stopping],
  [Phase.stopping],
  [Phase.quarantined, Phase.stopping],
  [Phase.restarting, Phase.stopping],
  [Phase.terminated],
  [],
];

/** True if `next` may follow `phase`. Exported for tests of the table; see {@link checkStep}. */
export function mayFollow(phase: PhaseCode, next: PhaseCode): boolean {
  return (FOLLOWERS[phase] ?? []).includes(next);
}

/** True if messages are put into the mailbox, be it to wait. */
export function accepts(phase: PhaseCode): boolean {
  return phase <= Phase.passivated;
}

/** True if the phase ends by itself as soon as the children are gone and the instance is at rest. */
export function isLeaving(phase: PhaseCode): boolean {
  return phase === Phase.restarting || phase === Phase.passivating || phase === Phase.quarantining || phase === Phase.stopping;
}

/** Throws InvariantBroken unless `next` may follow `phase`. */
export function checkStep(phase: PhaseCode, next: PhaseCode): void {
  invariant(mayFollow(phase, next), `phase ${next} must not follow phase ${phase}`);
}
