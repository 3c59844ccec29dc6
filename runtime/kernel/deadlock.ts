/**
 * Finds actors that wait for each other's answers in a circle. Pure: it sees the actors only through what they wait for.
 *
 * An actor waits for an answer if its handler is pending and has asked without piping the promise. That is taken for a deadlock although, in
 * rare cases, it is none: an actor may have handed the question on, or ask without ever awaiting. Awaiting an answer from
 * below inside a handler is what makes circles; pipe the answer instead.
 */

/**
 * The shortest chain from `asked` to `asker` along `waitsFor`, with the asker in front and at the end: asker, asked, ..., asker. Undefined if
 * no chain leads back.
 */
export function askCycle<T>(asker: T, asked: T, waitsFor: (actor: T) => Iterable<T>): readonly T[] | undefined {
  const cameFrom = new Map<T, T>([[asked, asker]]);
  const toVisit: T[] = [asked];
  for (const actor of toVisit) {
    if (actor === asker) return chain(asker, cameFrom);
    for (const next of waitsFor(actor)) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, actor);
      toVisit.push(next);
    }
  }
  return undefined;
}

function chain<T>(asker: T, cameFrom: ReadonlyMap<T, T>): readonly T[] {
  const cycle = [asker];
  for (let actor = cameFrom.get(asker) as T; actor !== asker; actor = cameFrom.get(actor) as T) cycle.unshift(actor);
  cycle.unshift(asker);
  return cycle;
}
