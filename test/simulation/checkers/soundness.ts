/**
 * Nothing breaks inside a node, whatever happens outside of it: no promise is rejected with nobody to hear of it, no actor meets an error that is none of the
 * registry, and no run is set aside.
 */
import { type Checker, finding } from "./checker.ts";

/** The checker. */
export const checkSoundness: Checker = ({ broken, stored }) => [
  ...broken.map((sentence) => finding(sentence, sentence)),
  ...stored.runs.filter(({ status }) => status === "quarantined").map(({ id }) => finding(`run ${id} was quarantined`, id)),
];
