/**
 * What a checker of the crash tests says.
 */
import type { Evidence } from "../evidence.ts";

/** Judges one invariant: a sentence for each violation. */
export type Checker = (evidence: Evidence) => readonly string[];
