/**
 * From the names in a list's filter to the workflow versions that runs are stored with.
 */
import { MaestroError } from "../../runtime/errors.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { DocumentFilter, DocumentStore } from "../../runtime/storage/documents.ts";

/** Finds the versions that a list of runs is narrowed to. */
export class WorkflowFilter {
  readonly #documents: DocumentStore;

  constructor(documents: DocumentStore) {
    this.#documents = documents;
  }

  /**
   * Ids of all versions in a namespace and of a name, each of which may be empty for any; undefined if both are. Those that were removed are among them:
   * their runs are still there.
   *
   * @throws FIELD_INVALID there are more than LIMITS.filterVersions.
   */
  async versionsOf(namespace: string, name: string): Promise<readonly string[] | undefined> {
    if (namespace === "" && name === "") return undefined;
    const filter: DocumentFilter = { withRemoved: true, ...(namespace !== "" && { namespace }), ...(name !== "" && { name }) };
    const ids: string[] = [];
    for (;;) {
      const after = ids.at(-1);
      const page = await (after === undefined ? this.#documents.list(filter, LIMITS.pageRows) : this.#documents.list(filter, LIMITS.pageRows, after));
      for (const record of page) ids.push(record.id);
      if (page.length < LIMITS.pageRows) return ids;
      if (ids.length >= LIMITS.filterVersions) throw tooMany(name === "" ? "namespace" : "workflow");
    }
  }
}

function tooMany(field: string): MaestroError {
  const reason = `names more than ${LIMITS.filterVersions} workflow versions.`;
  return new MaestroError("FIELD_INVALID", { facts: { field, reason }, violations: [{ field, description: reason }] });
}
