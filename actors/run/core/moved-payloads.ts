/**
 * Large JSON texts of entries: moved out before an entry is written, brought back when a run is read for its actor. People see how large they are; history
 * is not the place to look inside.
 */
import type { MovedPayload } from "../../../proto/gen/maestro/journal/v1/entry.ts";
import type { RunId } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import type { Journal, RunPayload } from "../../../runtime/storage/journal.ts";
import type { Entry, RunEvent } from "./entry.ts";

const NO_PAYLOADS: readonly RunPayload[] = [];
/** What stands in an entry for a text that was moved. */
const PLACEHOLDER = "null";

/** The texts that may be large, by kind of event: name of the field, and its number in the contract. */
const TEXTS: { readonly [C in RunEvent["$case"]]?: readonly { readonly name: string; readonly place: number }[] } = {
  runStarted: [{ name: "input", place: 5 }],
  taskStarted: [{ name: "input", place: 4 }],
  loopStarted: [{ name: "items", place: 2 }],
  attemptScheduled: [{ name: "request", place: 3 }],
  attemptCompleted: [{ name: "output", place: 3 }],
  taskCompleted: [
    { name: "output", place: 2 },
    { name: "context", place: 3 },
  ],
  signalReceived: [{ name: "payload", place: 2 }],
  runEnded: [{ name: "output", place: 2 }],
};

/** Entries as they are written, and the payloads to be stored with them. */
export interface WrittenEntries {
  readonly entries: readonly Entry[];
  readonly payloads: readonly RunPayload[];
}

/** Moves large texts out of entries, of which the first has the number `firstSeq`. What is given stays as it is. */
export function moveOut(entries: readonly Entry[], firstSeq: number): WrittenEntries {
  if (!entries.some(hasLargeText)) return { entries, payloads: NO_PAYLOADS };
  const payloads: RunPayload[] = [];
  return { entries: entries.map((entry, index) => moveOutOf(entry, firstSeq + index, payloads)), payloads };
}

/** Brings the texts of entries back that were moved. @throws JOURNAL_CORRUPT one is missing or damaged */
export async function bringBack(
  journal: Pick<Journal, "readPayload">,
  runId: RunId,
  entries: readonly Entry[],
  firstSeq: number,
): Promise<readonly Entry[]> {
  if (!entries.some((entry) => entry.moved.length > 0)) return entries;
  return Promise.all(entries.map((entry, index) => (entry.moved.length === 0 ? entry : bringBackInto(journal, runId, entry, firstSeq + index))));
}

/** Sizes in bytes of the texts that an entry lacks, by name. */
export function movedSizes(entry: Entry): ReadonlyMap<string, number> {
  return new Map(entry.moved.map(({ place, bytes }) => [nameAt(entry, place), bytes]));
}

/** Asked of every entry of every write: makes nothing. */
function hasLargeText({ event }: Entry): boolean {
  const texts = event && TEXTS[event.$case];
  if (texts === undefined) return false;
  const value = event?.value as unknown as Record<string, string | undefined>;
  for (const { name } of texts) if ((value[name]?.length ?? 0) > LIMITS.inlineTextLength) return true;
  return false;
}

function moveOutOf(entry: Entry, seq: number, payloads: RunPayload[]): Entry {
  const { event } = entry;
  const texts = event && TEXTS[event.$case];
  if (event === undefined || texts === undefined) return entry;
  const value = event.value as unknown as Record<string, string | undefined>;
  const large = texts.filter(({ name }) => (value[name]?.length ?? 0) > LIMITS.inlineTextLength);
  if (large.length === 0) return entry;
  const moved: MovedPayload[] = [];
  const rest: Record<string, unknown> = { ...event.value };
  for (const { name, place } of large) {
    const bytes = Buffer.from(value[name] as string);
    payloads.push({ seq, place, bytes });
    moved.push({ place, bytes: bytes.length });
    rest[name] = PLACEHOLDER;
  }
  return { ...entry, moved, event: { $case: event.$case, value: rest } as unknown as RunEvent };
}

async function bringBackInto(journal: Pick<Journal, "readPayload">, runId: RunId, entry: Entry, seq: number): Promise<Entry> {
  const value: Record<string, unknown> = { ...entry.event?.value };
  for (const { place } of entry.moved) value[nameAt(entry, place)] = Buffer.from(await journal.readPayload(runId, seq, place)).toString();
  return { ...entry, moved: [], event: { $case: entry.event?.$case, value } as unknown as RunEvent };
}

function nameAt({ event }: Entry, place: number): string {
  const text = (event && TEXTS[event.$case])?.find((candidate) => candidate.place === place);
  return text?.name ?? `field ${place}`;
}
