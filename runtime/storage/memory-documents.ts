/**
 * The document store in memory.
 */
import { MaestroError } from "../errors.ts";
import type { DocumentFilter, DocumentRecord, DocumentStore } from "./documents.ts";
import type { MemoryDocument, MemoryStore } from "./memory-store.ts";

/** The store. For tests and simulation. */
export class MemoryDocuments implements DocumentStore {
  readonly #store: MemoryStore;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async put(record: DocumentRecord): Promise<{ readonly record: DocumentRecord; readonly created: boolean }> {
    const { namespace, name, version, text } = record;
    const found = this.#store.documents.find(({ record: stored }) => isNamed(stored, namespace, name, version));
    if (found === undefined) {
      this.#store.documents.push({ record, isRemoved: false });
      return { record, created: true };
    }
    if (found.record.text !== text) throw new MaestroError("WORKFLOW_IN_CONFLICT", { facts: { workflow: `${namespace}/${name}:${version}` } });
    found.isRemoved = false;
    return { record: found.record, created: false };
  }

  async byId(id: string): Promise<DocumentRecord | undefined> {
    return this.#store.documents.find(({ record }) => record.id === id)?.record;
  }

  async find(namespace: string, name: string, version?: string): Promise<DocumentRecord | undefined> {
    return this.#inUse().findLast(({ record }) => isNamed(record, namespace, name, version))?.record;
  }

  async list(filter: DocumentFilter, limit: number, after?: string): Promise<readonly DocumentRecord[]> {
    const { withRemoved = false } = filter;
    const before = after === undefined ? undefined : this.#store.documents.findIndex(({ record }) => record.id === after);
    return this.#store.documents
      .slice(0, before)
      .filter(({ record, isRemoved }) => (withRemoved || !isRemoved) && matches(filter, record))
      .reverse()
      .slice(0, limit)
      .map(({ record }) => ({ ...record, text: "" }));
  }

  async remove(namespace: string, name: string, version?: string): Promise<number> {
    const removed = this.#inUse().filter(({ record }) => isNamed(record, namespace, name, version));
    for (const document of removed) document.isRemoved = true;
    return removed.length;
  }

  #inUse(): readonly MemoryDocument[] {
    return this.#store.documents.filter(({ isRemoved }) => !isRemoved);
  }
}

function isNamed(record: DocumentRecord, namespace: string, name: string, version: string | undefined): boolean {
  return record.namespace === namespace && record.name === name && (version === undefined || record.version === version);
}

function matches({ namespace, name }: DocumentFilter, record: DocumentRecord): boolean {
  return record.namespace === (namespace ?? record.namespace) && record.name === (name ?? record.name);
}
