/** "Did you mean": the known name that is closest to a mistyped one. Pure. */

/** Longest name that is compared; longer ones get no suggestion. */
const COMPARED_LENGTH = 64;
/** Names that are looked at. */
const COMPARED_NAMES = 200;
/** Names that a list in a message shows. */
const LISTED_NAMES = 20;

/** The closest of `known`, if it is close enough to be what was meant. */
export function closest(name: string, known: readonly string[]): string | undefined {
  if (name.length > COMPARED_LENGTH) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known.slice(0, COMPARED_NAMES)) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** A sentence that helps with an unknown name: the closest known one first, then what is known. Empty if nothing is known. */
export function hint(name: string, known: Iterable<string>): string {
  const names = [...known];
  const meant = closest(name, names);
  const suggestion = meant === undefined ? "" : ` Did you mean ${meant}?`;
  return names.length === 0 ? suggestion : `${suggestion} Known: ${listed(names)}.`;
}

/** Names in a row, cut where there are too many. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, LISTED_NAMES).join(", ");
  return names.length <= LISTED_NAMES ? shown : `${shown} and ${names.length - LISTED_NAMES} more`;
}

/** Insertions, deletions, replacements and swaps of neighbours between two short texts. */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const swapped = row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      const replace = at(previous, column - 1) + (same ? 0 : 1);
      const swap = swapped ? at(beforePrevious, column - 2) + 1 : replace;
      current.push(Math.min(at(previous, column) + 1, at(current, column - 1) + 1, replace, swap));
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, right.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.MAX_SAFE_INTEGER;
}
