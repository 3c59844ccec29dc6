/**
 * Nesting of a YAML text, measured on its tokens. The composer of the `yaml` package is recursive: a text that nests too deeply must be
 * refused before it gets there, or the outcome depends on how much stack is left.
 */
import type { CST } from "yaml";

/** Offset of the first collection that is nested deeper than `limit`, or undefined. Takes no stack however deep the text is. */
export function tooDeepAt(token: CST.Token, limit: number): number | undefined {
  const pending: { token: CST.Token; depth: number }[] = [{ token, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.depth > limit) return next.token.offset;
    for (const child of childrenOf(next.token)) pending.push({ token: child, depth: next.depth + (isCollection(child) ? 1 : 0) });
  }
  return undefined;
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === "document") return token.value === undefined ? [] : [token.value];
  if (!isCollection(token)) return [];
  return token.items.flatMap((item) => [item.key, item.value].filter((child) => child !== null && child !== undefined));
}

function isCollection(token: CST.Token): token is CST.BlockMap | CST.BlockSequence | CST.FlowCollection {
  return token.type === "block-map" || token.type === "block-seq" || token.type === "flow-collection";
}
