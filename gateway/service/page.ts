/**
 * Pages of lists: as many rows as were asked for, and no more than every client takes in one answer. Pure.
 */
import { LIMITS } from "../../runtime/limits.ts";

/** One page of a list. */
export interface Page<T> {
  readonly rows: readonly T[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/** A page of `limit` rows from a list that was asked for one more, to learn whether there is another page. `charsOf`: characters of a row, roughly. */
export function pageOf<T>(rows: readonly T[], limit: number, tokenAfter: (last: T) => string, charsOf: (row: T) => number): Page<T> {
  const page = fitting(rows.slice(0, limit), charsOf);
  const last = page.at(-1);
  if (page.length === rows.length || last === undefined) return { rows: page, nextPageToken: "" };
  return { rows: page, nextPageToken: tokenAfter(last) };
}

/** As many of the rows, from the first, as have `LIMITS.pageChars` together; one at least, if there is one. */
export function fitting<T>(rows: readonly T[], charsOf: (row: T) => number): readonly T[] {
  let left: number = LIMITS.pageChars;
  const end = rows.findIndex((row, index) => {
    left -= charsOf(row);
    return left < 0 && index > 0;
  });
  return end < 0 ? rows : rows.slice(0, end);
}
