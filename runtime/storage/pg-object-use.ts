/**
 * Whether a database refers to objects: payloads that are kept outside of it.
 */
import { connectPg, unavailable } from "./pg-connection.ts";

/** True if it does. A node without an object store could not read runs that have such payloads. @throws DATABASE_UNAVAILABLE */
export async function refersToObjects(url: string): Promise<boolean> {
  const client = await connectPg(url, { applicationName: "maestro-objects" });
  try {
    return (await client.query("SELECT FROM payloads WHERE object_name IS NOT NULL LIMIT 1")).rows.length > 0;
  } catch (error) {
    throw unavailable(url, error);
  } finally {
    await client.end();
  }
}
