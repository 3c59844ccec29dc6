/**
 * Workflows of the workloads W3, W4 and W5, as documents.
 */
import { SIGNAL } from "./signal-load.ts";
import { header } from "./workload.ts";

/** W3: wait for a time far away, and for a signal. */
export const PARKED_DOCUMENTS: readonly string[] = [
  `${header("parked-timer")}do:\n  - nap: { wait: { days: 30 } }\n`,
  `${header("parked-signal")}do:\n  - listen: { call: signal@default, with: { name: ${SIGNAL} } }\n`,
];

/** W3: wait until a time given in milliseconds since the epoch. */
export const STORM_DOCUMENT = `${header("storm")}do:
  - nap: { wait: { milliseconds: "\${ .dueAtMs - $task.startedAt.epoch.milliseconds }" } }
`;

/** W4: many calls, or many tasks without one, one after the other in a loop inside a loop; then it waits for a signal. */
export function longDocument(name: string, task: string, outer: number, inner: number): string {
  return `${header(name)}do:
  - rows:
      for: { in: "\${ [range(0; ${outer})] }" }
      do:
        - cells:
            for: { in: "\${ [range(0; ${inner})] }" }
            do:
              - step: ${task}
  - stay: { call: signal@default, with: { name: ${SIGNAL} } }
`;
}

/**
 * W5: takes signals one by one, each of which says who sent it and which of the sender's it is, until `count` have come. The output counts them, and
 * those that were not the next of their sender.
 */
export const SIGNALS_DOCUMENT = `${header("signals")}do:
  - begin: { set: { count: "\${ .count }", next: "\${ [range(0; .senders) | 0] }", seen: 0, disorder: 0 } }
  - take:
      call: signal@default
      with: { name: ${SIGNAL} }
      output:
        as: >-
          \${ . as $signal | $input
          | .seen += 1
          | .disorder += (if .next[$signal.sender] == $signal.number then 0 else 1 end)
          | .next[$signal.sender] = $signal.number + 1 }
  - more:
      switch:
        - again: { when: "\${ .seen < .count }", then: take }
        - enough: { then: end }
`;
