/**
 * Calls about tasks from this node to others, as messages on the bus; one that is too large goes in pieces.
 */
import { TaskAnswer, TaskCall } from "../../proto/gen/maestro/cluster/v1/task_call.ts";
import type { Bus } from "../bus/bus.ts";
import { partsOf } from "../bus/message-parts.ts";
import { MaestroError } from "../errors.ts";
import type { BootId } from "../ids.ts";
import type { Random } from "../random.ts";

/** How long an answer may take, in milliseconds. Nothing that is asked waits for anything. */
const ANSWER_MS = 2_000;

const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 2_000;

/**
 * How long to wait before a node is asked again that has not answered so many times. Left to chance in part: others wait for it as well, and must not
 * come together.
 */
export function pauseAfter(failures: number, random: Random): number {
  return Math.min(PAUSE_MIN_MS * 2 ** Math.min(failures - 1, 16), PAUSE_MAX_MS) * (0.5 + random.fraction() / 2);
}

/** A call, of any kind. */
export type Call = NonNullable<TaskCall["call"]>;

/** An answer, of any kind. */
export type Answer = NonNullable<TaskAnswer["answer"]>;

/** Subject on the bus on which a boot hears calls about tasks. Part of the protocol between nodes: must not change. */
export function tasksSubject(clusterName: string, bootId: BootId): string {
  return `maestro.${clusterName}.node.${bootId}.tasks`;
}

/** Subject on which all nodes say what waits with them. Part of the protocol between nodes: must not change. */
export function offersSubject(clusterName: string): string {
  return `maestro.${clusterName}.tasks.offered`;
}

/** What calls need. */
export interface TaskCallsOptions {
  readonly bus: Pick<Bus, "request" | "publish" | "status">;
  readonly random: Random;
  readonly clusterName: string;
  readonly self: BootId;
}

/** The calls of one node. */
export class TaskCalls {
  readonly #options: TaskCallsOptions;

  constructor(options: TaskCallsOptions) {
    this.#options = options;
  }

  /** Asks once. Undefined: there was no answer, or none that this version understands; the call may have been carried out. */
  async ask(to: BootId, sequence: number, call: Call): Promise<Answer | undefined> {
    const { self, random } = this.#options;
    const payload = TaskCall.encode({ sender: self, sequence, call }).finish();
    try {
      const parts = partsOf(payload, random);
      if (parts.length === 0) return await this.#send(to, payload);
      let answer: Answer | undefined;
      for (const value of parts) {
        answer = await this.#send(to, TaskCall.encode({ sender: self, sequence, call: { $case: "part", value } }).finish());
        if (answer === undefined) return undefined;
      }
      return answer;
    } catch (error) {
      // The other node, or the way to it, is away or full. Whoever asks comes again, or the loan ends.
      if (error instanceof MaestroError) return undefined;
      throw error;
    }
  }

  /** Says something that nobody relies on. */
  hint(to: BootId, call: Call): void {
    const { self, clusterName } = this.#options;
    this.#publish(tasksSubject(clusterName, to), TaskCall.encode({ sender: self, sequence: 0, call }).finish());
  }

  /** Tells all nodes. */
  offer(payload: Uint8Array): void {
    this.#publish(offersSubject(this.#options.clusterName), payload);
  }

  async #send(to: BootId, payload: Uint8Array): Promise<Answer | undefined> {
    const { bus, clusterName } = this.#options;
    const reply = await bus.request(tasksSubject(clusterName, to), payload, { timeoutMs: ANSWER_MS });
    return TaskAnswer.decode(reply.payload).answer;
  }

  #publish(subject: string, payload: Uint8Array): void {
    const { bus } = this.#options;
    if (bus.status.state !== "connected") return;
    try {
      bus.publish(subject, payload);
    } catch (error) {
      // The bus went away or is full in this moment. The next summary or renewal says the same.
      if (!(error instanceof MaestroError)) throw error;
    }
  }
}
