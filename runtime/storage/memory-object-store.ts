/**
 * The object store in memory.
 */
import type { RunId } from "../ids.ts";
import { type ObjectStore, objectName } from "./object-store.ts";

/** The store. For tests and simulation. */
export class MemoryObjectStore implements ObjectStore {
  /** By run and name. A test may damage them. */
  readonly objects = new Map<string, Uint8Array>();

  async put(runId: RunId, bytes: Uint8Array): Promise<string> {
    const name = objectName(bytes);
    this.objects.set(`${runId}/${name}`, bytes);
    return name;
  }

  async get(runId: RunId, name: string): Promise<Uint8Array | undefined> {
    const bytes = this.objects.get(`${runId}/${name}`);
    return bytes !== undefined && objectName(bytes) === name ? bytes : undefined;
  }

  async removeRun(runId: RunId): Promise<void> {
    for (const key of this.objects.keys()) if (key.startsWith(`${runId}/`)) this.objects.delete(key);
  }
}
