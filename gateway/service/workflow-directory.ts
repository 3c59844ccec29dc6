/**
 * Which version a name means, and which name a version has, remembered: starting a run must not cost a query. Bounded, and never older
 * than the last deployment or deletion that this node acknowledged: {@link WorkflowDirectory.forgetNames} drops all names, also the
 * look-ups under way, whose answers then reach only those who asked before.
 */
import { MaestroError } from "../../runtime/errors.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { DocumentRecord, DocumentStore } from "../../runtime/storage/documents.ts";

/** What a workflow version is called. */
export interface WorkflowIdentity {
  /** UUID of the version. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
}

/** Names and ids of workflow versions. */
export class WorkflowDirectory {
  readonly #documents: DocumentStore;
  /** By namespace, name and version; an empty version is the latest. */
  readonly #byName = new Map<string, Promise<WorkflowIdentity | undefined>>();
  /** By id. What a version is called never changes, so nothing here grows old. */
  readonly #byId = new Map<string, WorkflowIdentity>();

  constructor(documents: DocumentStore) {
    this.#documents = documents;
  }

  /** The version that a name means; an empty `version` means the latest. @throws WORKFLOW_NOT_FOUND */
  async resolve(namespace: string, name: string, version: string): Promise<WorkflowIdentity> {
    const key = `${namespace}/${name}/${version}`;
    const identity = await (this.#byName.get(key) ?? this.#lookUp(key, namespace, name, version));
    if (identity === undefined) throw workflowNotFound(namespace, name, version);
    return identity;
  }

  /** What the version with this id is called, also a removed one; undefined if there is none. */
  async identify(id: string): Promise<WorkflowIdentity | undefined> {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const record = await this.#documents.byId(id);
    return record === undefined ? undefined : this.#remember(record);
  }

  /** To be called after a deployment or a deletion was stored, and before it is acknowledged. */
  forgetNames(): void {
    this.#byName.clear();
  }

  #lookUp(key: string, namespace: string, name: string, version: string): Promise<WorkflowIdentity | undefined> {
    const answer = this.#find(namespace, name, version);
    evictOldest(this.#byName);
    this.#byName.set(key, answer);
    // Only what exists is remembered: another node may deploy the rest at any time, and a failed query must be asked again.
    const forget = (): void => {
      if (this.#byName.get(key) === answer) this.#byName.delete(key);
    };
    answer.then((identity) => {
      if (identity === undefined) forget();
    }, forget);
    return answer;
  }

  async #find(namespace: string, name: string, version: string): Promise<WorkflowIdentity | undefined> {
    const record = await (version === "" ? this.#documents.find(namespace, name) : this.#documents.find(namespace, name, version));
    return record === undefined ? undefined : this.#remember(record);
  }

  #remember(record: DocumentRecord): WorkflowIdentity {
    const identity = { id: record.id, namespace: record.namespace, name: record.name, version: record.version };
    evictOldest(this.#byId);
    this.#byId.set(identity.id, identity);
    return identity;
  }
}

/** WORKFLOW_NOT_FOUND for a name. */
export function workflowNotFound(namespace: string, name: string, version: string): MaestroError {
  const workflow = version === "" ? `${namespace}/${name}` : `${namespace}/${name}:${version}`;
  return new MaestroError("WORKFLOW_NOT_FOUND", { facts: { workflow } });
}

function evictOldest(map: Map<string, unknown>): void {
  if (map.size < LIMITS.directoryEntries) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
