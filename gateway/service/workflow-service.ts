/**
 * Workflow documents, as all skins of the gateway serve them: deploy, get, list, delete. Checks requests and asks the document store; it
 * knows nothing of gRPC or HTTP.
 */
import type { Workflow } from "../../actors/language/model.ts";
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { newUuid } from "../../runtime/ids.ts";
import type { LimitWatch } from "../../runtime/limit-watch.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Random } from "../../runtime/random.ts";
import type { DocumentFilter, DocumentRecord, DocumentStore } from "../../runtime/storage/documents.ts";
import { DEFAULT_NAMESPACE, DEFAULT_PAGE_ROWS, Fields, labelReason, optionalLabelReason, pageSizeReason, versionReason } from "./fields.ts";
import { refuseTooLarge } from "./json-text.ts";
import { type Page, pageOf } from "./page.ts";
import { type PageScope, pageTokenAfter, rowBefore } from "./page-token.ts";
import { type WorkflowDirectory, workflowNotFound } from "./workflow-directory.ts";

/** Characters of what every row has, roughly: an id, times. */
const ROW_CHARS = 100;

/** A workflow by name. */
export interface WorkflowName {
  /** Empty: "default". */
  readonly namespace: string;
  readonly name: string;
  /** Empty: the latest, or for a deletion all. */
  readonly version: string;
}

/** Which workflows, and which page of them. */
export interface ListWorkflows {
  /** Empty: all. */
  readonly namespace: string;
  /** Empty: all. */
  readonly name: string;
  /** 1 to LIMITS.pageRows; 0 means {@link DEFAULT_PAGE_ROWS}. */
  readonly pageSize: number;
  /** Empty: the first page. */
  readonly pageToken: string;
}

/** A deployment: what is stored, or after a dry run what would be; then its id may be empty. */
export interface Deployment {
  readonly record: DocumentRecord;
  readonly created: boolean;
}

/** What the service needs. */
export interface WorkflowServiceParts {
  readonly documents: DocumentStore;
  readonly directory: WorkflowDirectory;
  /** Compiles a document. @throws DOCUMENT_INVALID, SHELL_DISABLED */
  readonly compile: (text: string) => Promise<Workflow>;
  readonly clock: Clock;
  readonly limits: LimitWatch;
  readonly random: Random;
}

/** The service. Every method throws MaestroError. */
export class WorkflowService {
  readonly #parts: WorkflowServiceParts;

  constructor(parts: WorkflowServiceParts) {
    this.#parts = parts;
  }

  /**
   * Compiles a document and stores it under the names in it, unless `dryRun`. The same text again answers the stored one.
   *
   * @throws MESSAGE_TOO_LARGE, FIELD_INVALID, what the compiler throws, WORKFLOW_IN_CONFLICT.
   */
  async deploy(text: string, dryRun: boolean): Promise<Deployment> {
    refuseTooLarge("document", text, LIMITS.documentBytes);
    const fields = new Fields();
    fields.check("document", text === "" ? "is required." : undefined);
    fields.check("document", text.includes("\0") ? "must not have NUL characters." : undefined);
    fields.refuse();
    const workflow = await this.#parts.compile(text);
    const blame = () => ({ subject: "a document", workflow: `${workflow.namespace}/${workflow.name}` });
    this.#parts.limits.measure("documentBytes", Buffer.byteLength(text), blame);
    return dryRun ? this.#rehearse(this.#recordOf(workflow, text, "")) : this.#store(workflow, text);
  }

  /** One version, with its text. @throws FIELD_INVALID, WORKFLOW_NOT_FOUND */
  async get(request: WorkflowName): Promise<DocumentRecord> {
    const { namespace, name, version } = checkedName(request);
    const { documents } = this.#parts;
    const record = await (version === "" ? documents.find(namespace, name) : documents.find(namespace, name, version));
    if (record === undefined) throw workflowNotFound(namespace, name, version);
    return record;
  }

  /** Newest first, without the texts. @throws FIELD_INVALID, PAGE_TOKEN_INVALID */
  async list(request: ListWorkflows): Promise<Page<DocumentRecord>> {
    const fields = new Fields();
    fields.check("namespace", optionalLabelReason(request.namespace));
    fields.check("name", optionalLabelReason(request.name));
    fields.check("page_size", pageSizeReason(request.pageSize));
    fields.refuse();
    const scope: PageScope = ["workflows", request.namespace, request.name];
    const limit = request.pageSize || DEFAULT_PAGE_ROWS;
    const rows = await this.#parts.documents.list(filterOf(request), limit + 1, rowBefore(scope, request.pageToken));
    return pageOf(rows, limit, (last) => pageTokenAfter(scope, last.id), charsOf);
  }

  /** Takes a version, or all of them, out of use; answers how many. @throws FIELD_INVALID, WORKFLOW_NOT_FOUND */
  async remove(request: WorkflowName): Promise<number> {
    const { namespace, name, version } = checkedName(request);
    const { documents, directory } = this.#parts;
    const removing = version === "" ? documents.remove(namespace, name) : documents.remove(namespace, name, version);
    const removed = await removing.finally(() => directory.forgetNames());
    if (removed === 0) throw workflowNotFound(namespace, name, version);
    return removed;
  }

  async #store(workflow: Workflow, text: string): Promise<Deployment> {
    const { documents, directory, random } = this.#parts;
    // Also after a failure: the outcome of a query that failed is not known.
    return documents.put(this.#recordOf(workflow, text, newUuid(random))).finally(() => directory.forgetNames());
  }

  async #rehearse(record: DocumentRecord): Promise<Deployment> {
    const stored = await this.#parts.documents.find(record.namespace, record.name, record.version);
    if (stored === undefined) return { record, created: true };
    if (stored.text === record.text) return { record: stored, created: false };
    throw new MaestroError("WORKFLOW_IN_CONFLICT", { facts: { workflow: `${record.namespace}/${record.name}:${record.version}` } });
  }

  #recordOf(workflow: Workflow, text: string, id: string): DocumentRecord {
    const { namespace, name, version, title, summary } = workflow;
    return { id, namespace, name, version, title, summary, text, createdAtMs: this.#parts.clock.now() };
  }
}

/** Characters of a version in a list, roughly. */
function charsOf({ namespace, name, version, title, summary }: DocumentRecord): number {
  return namespace.length + name.length + version.length + title.length + summary.length + ROW_CHARS;
}

function checkedName(request: WorkflowName): WorkflowName {
  const namespace = request.namespace || DEFAULT_NAMESPACE;
  const fields = new Fields();
  fields.check("namespace", labelReason(namespace));
  fields.check("name", labelReason(request.name));
  fields.check("version", versionReason(request.version));
  fields.refuse();
  return { namespace, name: request.name, version: request.version };
}

function filterOf(request: ListWorkflows): DocumentFilter {
  return { ...(request.namespace !== "" && { namespace: request.namespace }), ...(request.name !== "" && { name: request.name }) };
}
