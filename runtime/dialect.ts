/**
 * What a node understands of what others say and write, as one number that grows. Nodes of several versions share a cluster while it is upgraded: what only a
 * newer dialect has is said, or written, when every member speaks it (`OwnershipView.dialect`), and not before. A field that may be skipped needs none.
 */

/**
 * The dialect of this program. Raised with everything that older programs would not understand; the list is its history, and never changes.
 *
 * 1. Everything up to schema 0010: the calls `start`, `commands`, `describe`, `awaitOutcome`, `awaitGrowth` and `part`.
 * 2. A run with an entry of an unknown kind is left to those who know it (`RUN_TOO_NEW`); the first dialect quarantines it.
 * 3. So is a run with an entry or a snapshot that asks for a later dialect (`reads_from`); the second goes on from a snapshot that covers what it
 *    does not know.
 *    So a kind of entry, or a field of one that the state keeps, may be written once this is spoken by all, although not all can read it: those that can't
 *    lose time, and nothing else. It says the dialect that it came with.
 */
export const DIALECT = 3;

/** What those speak that say nothing of it. */
export const FIRST_DIALECT = 1;
