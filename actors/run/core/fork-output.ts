/**
 * How much the branches of a fork may give together: their outputs become one, which must not be larger than a run can hold.
 */
import { LIMITS } from "../../../runtime/limits.ts";
import type { Frame } from "./state.ts";

/**
 * Why a child of `parent` can't have that output, or undefined. Only large outputs are counted: small ones can't come to much, because a document has at
 * most `LIMITS.documentTasks` branches.
 */
export function refusalByFork(parent: Frame | undefined, output: { readonly text: string }): string | undefined {
  if (parent?.node.kind !== "fork" || parent.node.compete || output.text.length <= LIMITS.inlineTextLength) return undefined;
  let sum = output.text.length;
  for (const other of parent.outputs ?? []) if (other !== undefined && other.text.length > LIMITS.inlineTextLength) sum += other.text.length;
  if (sum <= LIMITS.forkOutputChars) return undefined;
  return `the outputs of the branches of ${parent.node.pointer} have more than ${LIMITS.forkOutputChars} characters together: keep large data elsewhere, or reduce it with \`output.as\``;
}
