/**
 * Depth of a syntax tree, measured before anything walks it. The compiler is recursive, and so are the closures that it makes: a chain of operators
 * (`1 + 1 + …`) nests to the left as deeply as parentheses do, and how much of that the stack bears must not depend on who calls.
 */
import type { Node } from "./syntax.ts";

/** True if something in the tree lies below more than `limit` nodes. Takes no stack however deep the tree is. */
export function isDeeper(root: Node, limit: number): boolean {
  const pending: { readonly part: unknown; readonly depth: number }[] = [{ part: root, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { part, depth } = next;
    if (typeof part !== "object" || part === null) continue;
    if (depth > limit) return true;
    // fields of an object and parts of a text stand in a list, which is no level of its own
    const below = Array.isArray(part) ? depth : depth + 1;
    for (const inner of Object.values(part)) pending.push({ part: inner, depth: below });
  }
  return false;
}
