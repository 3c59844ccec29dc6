/**
 * Answers to expressions outside the compiled subset, for one run: which are being computed, and which are known until the steps that asked for
 * them have been taken. Nothing of it is durable: it is computed again when needed.
 */
import type { ExternalAnswer, ExternalRequest } from "../language/expression.ts";

/** The evaluations of one run. */
export class Evaluations {
  readonly #answers = new Map<string, ExternalAnswer>();
  readonly #underWay = new Set<string>();

  /** The answer to a request, if it is known. */
  answer(request: ExternalRequest): ExternalAnswer | undefined {
    return this.#answers.size === 0 ? undefined : this.#answers.get(keyOf(request));
  }

  /** True if the request is to be computed now; false if that is under way already. */
  begin(request: ExternalRequest): boolean {
    const key = keyOf(request);
    if (this.#underWay.has(key)) return false;
    this.#underWay.add(key);
    return true;
  }

  /** A request was computed. */
  end(request: ExternalRequest, answer: ExternalAnswer): void {
    const key = keyOf(request);
    this.#underWay.delete(key);
    this.#answers.set(key, answer);
  }

  /** Every step that could be taken was taken: answers are kept only while others are still awaited. */
  settle(): void {
    if (this.#underWay.size === 0) this.#answers.clear();
  }
}

function keyOf(request: ExternalRequest): string {
  return JSON.stringify(request);
}
