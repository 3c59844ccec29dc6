/**
 * Every style rule, in the order in which they are reported. `test/style` applies them to the repository and proves of each that it
 * notices a planted violation.
 */
import { CALL_RULES } from "./banned-calls.ts";
import { CATALOGUE_RULES } from "./catalogue-rules.ts";
import { GRAPH_RULES } from "./import-graph.ts";
import { IMPORT_RULES } from "./import-rules.ts";
import { INVARIANT_RULES } from "./invariant-rules.ts";
import { READING_RULES } from "./reading-rules.ts";
import type { StyleRule } from "./rule.ts";
import { SIZE_RULES } from "./sizes.ts";

/** All rules. For tests: `test/style` is what applies them. */
export const STYLE_RULES: readonly StyleRule[] = [
  ...SIZE_RULES,
  ...IMPORT_RULES,
  ...GRAPH_RULES,
  ...CALL_RULES,
  ...READING_RULES,
  ...CATALOGUE_RULES,
  ...INVARIANT_RULES,
];
