/**
 * The port of the document store: named, versioned texts that are immutable once stored. The runtime does not read them.
 */

/** One version of a document. */
export interface DocumentRecord {
  /** UUID of the version. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly summary: string;
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
}

/** Which documents a list shows. Absent means all. */
export interface DocumentFilter {
  readonly namespace?: string;
  readonly name?: string;
  /** Versions that were removed as well. Default false. */
  readonly withRemoved?: boolean;
}

/** The store. */
export interface DocumentStore {
  /**
   * Stores a version. If the same text is there under the same namespace, name and version, answers that one.
   *
   * @throws WORKFLOW_IN_CONFLICT another text is there.
   */
  put(record: DocumentRecord): Promise<{ readonly record: DocumentRecord; readonly created: boolean }>;
  /** A version by id, also one that was removed: runs that exist still need it. */
  byId(id: string): Promise<DocumentRecord | undefined>;
  /** A version that was not removed; without `version` the one stored last. */
  find(namespace: string, name: string, version?: string): Promise<DocumentRecord | undefined>;
  /** Versions that were not removed, unless the filter wants those too, newest first, after the one with the id `after` if given. The text is left empty. */
  list(filter: DocumentFilter, limit: number, after?: string): Promise<readonly DocumentRecord[]>;
  /** Takes a version, or all, out of use. Answers how many. A removed version's number can't be used again for another text. */
  remove(namespace: string, name: string, version?: string): Promise<number>;
}
