/** Ways in which stored rows can be wrong. Without a new checksum the damage is of the disk; with one, it is of the program that wrote. */
import { JournalRow } from "../../../proto/gen/maestro/journal/v1/entry.ts";
import type { MemoryRow } from "../../../runtime/storage/memory-store.ts";
import type { Chance } from "../chance.ts";
import type { History } from "./histories.ts";
import { type StoredRun, sealed, sealedSnapshot } from "./stored-run.ts";

/** One way. */
export interface Damage {
  readonly name: string;
  /** True if reading the rows from the first one on must notice it. */
  readonly isCertain: boolean;
  apply(run: StoredRun, chance: Chance, other: History): void;
}

type Change = (bytes: Uint8Array, chance: Chance) => Uint8Array;

function flipBit(bytes: Uint8Array, chance: Chance): Uint8Array {
  const changed = Uint8Array.from(bytes);
  const at = chance.below(changed.length);
  changed[at] = (changed[at] ?? 0) ^ (1 << chance.below(8));
  return changed;
}

const truncate: Change = (bytes, chance) => bytes.subarray(0, chance.below(bytes.length));
const garbage: Change = (_bytes, chance) => chance.bytes(1 + chance.below(200));

/** Changes one row, any of them. */
function oneRow(run: StoredRun, chance: Chance, change: (row: MemoryRow) => MemoryRow): void {
  const at = chance.below(run.rows.length);
  run.rows = run.rows.with(at, change(run.rows[at] as MemoryRow));
}

function unsealed(name: string, change: Change): Damage {
  return { name, isCertain: true, apply: (run, chance) => oneRow(run, chance, (row) => ({ ...row, entries: change(row.entries, chance) })) };
}

function resealed(name: string, change: Change): Damage {
  const apply: Damage["apply"] = (run, chance) => oneRow(run, chance, (row) => sealed(run.runId, { ...row, entries: change(row.entries, chance) }));
  return { name: `${name}, sealed`, isCertain: false, apply };
}

/** Changes the list of entries of one row; its count says what it said, or is right again. */
function entries(name: string, change: (list: JournalRow["entries"], chance: Chance, other: History) => JournalRow["entries"]): Damage {
  const apply: Damage["apply"] = (run, chance, other) =>
    oneRow(run, chance, (row) => {
      const changed = change(JournalRow.decode(row.entries).entries, chance, other);
      return sealed(run.runId, {
        ...row,
        entryCount: chance.oneIn(2) ? changed.length : row.entryCount,
        entries: JournalRow.encode({ entries: changed }).finish(),
      });
    });
  return { name, isCertain: false, apply };
}

function rows(name: string, isCertain: boolean, change: (list: MemoryRow[], chance: Chance, run: StoredRun) => MemoryRow[]): Damage {
  return {
    name,
    isCertain,
    apply(run, chance) {
      run.rows = change(run.rows, chance, run);
    },
  };
}

function snapshot(name: string, change: Change, isSealed: boolean): Damage {
  return {
    name,
    isCertain: false,
    apply(run, chance) {
      run.snapshots = run.snapshots.map(({ seq, state, checksum }) => {
        const changed = change(state, chance);
        return isSealed ? sealedSnapshot(run.runId, seq, changed) : { seq, state: changed, checksum };
      });
    },
  };
}

/** An entry of a kind that no program knows: field 30, empty. */
const UNKNOWN_KIND = Buffer.from([0x0a, 0x03, 0xf2, 0x01, 0x00]);

/** All ways. */
export const DAMAGES: readonly Damage[] = [
  unsealed("a flipped bit", flipBit),
  unsealed("a cut row", truncate),
  unsealed("garbage", garbage),
  resealed("a flipped bit", flipBit),
  resealed("a flipped bit", flipBit),
  resealed("a cut row", truncate),
  resealed("garbage", garbage),
  resealed("an unknown kind", (bytes) => Buffer.concat([bytes, UNKNOWN_KIND])),
  entries("an entry is missing", (list, chance) => list.toSpliced(chance.below(list.length), 1)),
  entries("an entry stands twice", (list, chance) => list.toSpliced(chance.below(list.length), 0, chance.pick(list))),
  entries("entries are swapped", (list, chance) => list.toSorted(() => chance.below(3) - 1)),
  entries("entries of another run", (list, chance, other) => list.toSpliced(chance.below(list.length + 1), 0, ...chance.pick(other.turns).entries)),
  rows("a wrong checksum", true, (list, chance) => list.map((row) => ({ ...row, checksum: row.checksum ^ (1 << chance.below(31)) }))),
  rows("a wrong count", true, (list) => list.map((row) => ({ ...row, entryCount: row.entryCount + 1 }))),
  rows("a shifted number", true, (list) => list.map((row) => ({ ...row, firstSeq: row.firstSeq + 1 }))),
  rows("the first row is missing", false, (list) => list.slice(1)),
  rows("a row is missing", false, (list, chance) => list.toSpliced(chance.below(list.length), 1)),
  rows("a row stands twice", false, (list, chance) => {
    const at = chance.below(list.length);
    return list.toSpliced(at, 0, list[at] as MemoryRow);
  }),
  rows("rows are swapped", false, (list) => list.toReversed()),
  rows("no row is left", false, () => []),
  snapshot("a damaged snapshot", flipBit, false),
  snapshot("a damaged snapshot, sealed", flipBit, true),
  snapshot("garbage as a snapshot", garbage, true),
];
