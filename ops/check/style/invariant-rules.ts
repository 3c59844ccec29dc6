/**
 * The numbered invariants of ARCHITECTURE.md: each names tests, and these are there. A test that was renamed or split must not leave a promise behind that
 * nobody checks.
 */
import type { StyleRule, Violation } from "./rule.ts";
import type { SourceTree } from "./source-tree.ts";

/** A row of the table: its number, what is so, and what shows it. */
const INVARIANT_ROW = /^\| (\d+) \| .* \| (.*) \|$/gm;
/** A file or a folder of tests, maybe with `*` for a part of its name. */
const TEST = /`(test\/[\w./*-]+)`/g;

/** The rules about invariants. */
export const INVARIANT_RULES: readonly StyleRule[] = [
  { name: "the tests that ARCHITECTURE.md names for its invariants are there", check: checkInvariants },
];

function checkInvariants({ architecture = "", files }: SourceTree): Violation[] {
  const rows = [...architecture.matchAll(INVARIANT_ROW)];
  const messages = rows.flatMap(([, number = "", shownBy = ""]) => {
    const tests = [...shownBy.matchAll(TEST)].map(([, test = ""]) => test);
    if (tests.length === 0) return [`names no test for invariant ${number}: name one, or write it`];
    const missing = tests.filter((test) => !files.some(({ path }) => isTestAt(path, test)));
    return missing.map((test) => `names ${test} for invariant ${number}, which is not there`);
  });
  return messages.map((message) => ({ path: "ARCHITECTURE.md", line: 0, message }));
}

function isTestAt(path: string, test: string): boolean {
  const [before = "", ...after] = test.split("*");
  return after.length === 0 ? path === test || path.startsWith(`${test}/`) : path.startsWith(before) && path.endsWith(after.join("*"));
}
