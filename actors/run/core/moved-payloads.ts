/**
 * Large texts of entries, JSON and the details of errors: moved out before an entry is written, brought back when a run is read for its actor. People
 * see how large they are; history is not the place to look inside.
 */
import type { MovedPayload } from "../../../proto/gen/maestro/journal/v1/entry.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import type { RunId } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import type { Journal, RunPayload } from "../../../runtime/storage/journal.ts";
import type { Entry, ProblemMessage, RunEvent } from "./entry.ts";

const NO_PAYLOADS: readonly RunPayload[] = [];
/** What stands in an entry for a JSON text that was moved. */
const PLACEHOLDER = "null";
/** Characters of an error's detail that stay in its entry when it is moved. */
const DETAIL_SHOWN = 200;
/** What an error's data has for a number: that of the error, and this. */
const DATA_PLACE = 1_000;

/** A text that may be large: the name of its field, or of the error that it is in, and its number in the contract. */
interface Text {
  readonly name: string;
  readonly place: number;
  /** It is this part of an error. */
  readonly part?: "detail" | "data";
}

/** The texts that may be large, by kind of event. */
const TEXTS: { readonly [C in RunEvent["$case"]]?: readonly Text[] } = {
  runStarted: [{ name: "input", place: 5 }],
  taskStarted: [{ name: "input", place: 4 }],
  loopStarted: [{ name: "items", place: 2 }],
  attemptScheduled: [{ name: "request", place: 3 }],
  attemptCompleted: [{ name: "output", place: 3 }],
  attemptFailed: errorAt(3),
  taskCompleted: [
    { name: "output", place: 2 },
    { name: "context", place: 3 },
  ],
  taskFaulted: errorAt(2),
  signalReceived: [{ name: "payload", place: 2 }],
  errorCaught: errorAt(2),
  tryRetried: errorAt(3),
  compensationStarted: errorAt(2),
  runEnded: [{ name: "output", place: 2 }, ...errorAt(3)],
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
  return new Map(entry.moved.map(({ place, bytes }) => [textAt(entry, place)?.name ?? `field ${place}`, bytes]));
}

/** Asked of every entry of every write: makes nothing. */
function hasLargeText({ event }: Entry): boolean {
  const texts = event && TEXTS[event.$case];
  if (event === undefined || texts === undefined) return false;
  for (const text of texts) if ((read(event, text)?.length ?? 0) > LIMITS.inlineTextLength) return true;
  return false;
}

function moveOutOf(entry: Entry, seq: number, payloads: RunPayload[]): Entry {
  const { event } = entry;
  const texts = event && TEXTS[event.$case];
  if (event === undefined || texts === undefined) return entry;
  const large = texts.filter((text) => (read(event, text)?.length ?? 0) > LIMITS.inlineTextLength);
  if (large.length === 0) return entry;
  const moved: MovedPayload[] = [];
  let rest = event;
  for (const text of large) {
    const whole = read(event, text) as string;
    const bytes = Buffer.from(whole);
    payloads.push({ seq, place: text.place, bytes });
    moved.push({ place: text.place, bytes: bytes.length });
    rest = replaced(rest, text, placeholder(text, whole, bytes.length));
  }
  return { ...entry, moved, event: rest };
}

async function bringBackInto(journal: Pick<Journal, "readPayload">, runId: RunId, entry: Entry, seq: number): Promise<Entry> {
  let { event } = entry;
  for (const { place } of entry.moved) {
    const text = textAt(entry, place);
    if (event === undefined || text === undefined) throw unknownPlace(runId, seq, place);
    event = replaced(event, text, Buffer.from(await journal.readPayload(runId, seq, place)).toString());
  }
  return { ...entry, moved: [], event };
}

function unknownPlace(runId: RunId, seq: number, place: number): MaestroError {
  return new MaestroError("JOURNAL_CORRUPT", { facts: { runId, seq, reason: `it lacks a text of the unknown number ${place}` } });
}

function textAt({ event }: Entry, place: number): Text | undefined {
  return (event && TEXTS[event.$case])?.find((text) => text.place === place);
}

function errorAt(place: number): readonly Text[] {
  return [
    { name: "error", place, part: "detail" },
    { name: "error", place: place + DATA_PLACE, part: "data" },
  ];
}

/** Fields of an event by name: those of {@link TEXTS} are texts, or errors. */
type Fields = Readonly<Record<string, string | ProblemMessage | undefined>>;

function read({ value }: RunEvent, { name, part }: Text): string | undefined {
  const field = (value as unknown as Fields)[name];
  return typeof field === "object" && part !== undefined ? field[part] : (field as string | undefined);
}

function replaced({ $case, value }: RunEvent, { name, part }: Text, text: string): RunEvent {
  const field = (value as unknown as Fields)[name];
  const changed = part === undefined ? text : { ...(field as ProblemMessage), [part]: text };
  return { $case, value: { ...value, [name]: changed } } as unknown as RunEvent;
}

/** What stands in the entry. Of an error people who read the history see how it begins, and how large its data is. */
function placeholder({ part }: Text, whole: string, bytes: number): string {
  if (part === "detail") return `${whole.slice(0, DETAIL_SHOWN).toWellFormed()}… (${bytes} bytes)`;
  return part === "data" ? `{"$large":{"bytes":${bytes}}}` : PLACEHOLDER;
}
