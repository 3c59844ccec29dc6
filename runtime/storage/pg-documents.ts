/**
 * The document store in PostgreSQL.
 */
import { MaestroError } from "../errors.ts";
import type { EventHub } from "../events.ts";
import type { DocumentFilter, DocumentRecord, DocumentStore } from "./documents.ts";
import { PgDatabase } from "./pg-database.ts";

/** What it is made from. */
export interface PgDocumentsOptions {
  readonly url: string;
  /** See `PgDatabaseOptions.events`. */
  readonly events?: EventHub;
}

/** Opens the store. Close it to give up its connections. */
export async function openPgDocuments(options: PgDocumentsOptions): Promise<PgDocuments> {
  return new PgDocuments(options);
}

interface StoredDocument {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly summary: string;
  readonly document: string;
  readonly created_at: Date;
}

const FACTS = "id, namespace, name, version, title, summary, created_at";

/** The store. */
class PgDocuments implements DocumentStore {
  readonly #database: PgDatabase;

  constructor({ url, events }: PgDocumentsOptions) {
    this.#database = new PgDatabase({ url, applicationName: "maestro-documents", events });
  }

  async put(record: DocumentRecord): Promise<{ readonly record: DocumentRecord; readonly created: boolean }> {
    const { id, namespace, name, version, title, summary, text, createdAtMs } = record;
    const inserted = await this.#database.query(
      `INSERT INTO workflows (id, namespace, name, version, title, summary, document, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (namespace, name, version) DO NOTHING RETURNING 1`,
      [id, namespace, name, version, title, summary, text, new Date(createdAtMs).toISOString()],
    );
    if (inserted.length > 0) return { record, created: true };
    // The same text again takes a removed version back into use.
    const [found] = await this.#database.query<StoredDocument>(
      `UPDATE workflows SET deleted_at = NULL WHERE namespace = $1 AND name = $2 AND version = $3 AND document = $4 RETURNING ${FACTS}, document`,
      [namespace, name, version, text],
    );
    if (found === undefined) throw new MaestroError("WORKFLOW_IN_CONFLICT", { facts: { workflow: `${namespace}/${name}:${version}` } });
    return { record: recordOf(found), created: false };
  }

  async byId(id: string): Promise<DocumentRecord | undefined> {
    const [row] = await this.#database.query<StoredDocument>(`SELECT ${FACTS}, document FROM workflows WHERE id = $1`, [id]);
    return row === undefined ? undefined : recordOf(row);
  }

  async find(namespace: string, name: string, version?: string): Promise<DocumentRecord | undefined> {
    const [row] = await this.#database.query<StoredDocument>(
      `SELECT ${FACTS}, document FROM workflows
        WHERE namespace = $1 AND name = $2 AND ($3::text IS NULL OR version = $3) AND deleted_at IS NULL ORDER BY ordinal DESC LIMIT 1`,
      [namespace, name, version],
    );
    return row === undefined ? undefined : recordOf(row);
  }

  async list(filter: DocumentFilter, limit: number, after?: string): Promise<readonly DocumentRecord[]> {
    const rows = await this.#database.query<StoredDocument>(
      `SELECT ${FACTS}, '' AS document FROM workflows
        WHERE (deleted_at IS NULL OR $5) AND ($1::text IS NULL OR namespace = $1) AND ($2::text IS NULL OR name = $2)
          AND ($3::uuid IS NULL OR ordinal < (SELECT ordinal FROM workflows WHERE id = $3))
        ORDER BY ordinal DESC LIMIT $4`,
      [filter.namespace, filter.name, after, limit, filter.withRemoved ?? false],
    );
    return rows.map(recordOf);
  }

  async remove(namespace: string, name: string, version?: string): Promise<number> {
    const rows = await this.#database.query(
      `UPDATE workflows SET deleted_at = now()
        WHERE namespace = $1 AND name = $2 AND ($3::text IS NULL OR version = $3) AND deleted_at IS NULL RETURNING 1`,
      [namespace, name, version],
    );
    return rows.length;
  }

  /** Gives the connections up. */
  close(): Promise<void> {
    return this.#database.close();
  }
}

function recordOf(row: StoredDocument): DocumentRecord {
  const { id, namespace, name, version, title, summary, document, created_at: createdAt } = row;
  return { id, namespace, name, version, title, summary, text: document, createdAtMs: createdAt.getTime() };
}
