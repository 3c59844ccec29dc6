/**
 * Page tokens: where a list goes on. Opaque to clients, and bound to the list and its filter, so that a token of another list, of another
 * filter, or one that was changed on the way is refused instead of answering the wrong rows. They are no secret: a token gives nothing
 * that the same client could not ask for. Pure.
 *
 * The layout is seen by clients only as text, but tokens outlive restarts and upgrades: a change of it takes a new version byte.
 */
import { createHash } from "node:crypto";
import { MaestroError } from "../../runtime/errors.ts";
import { isUuid } from "../../runtime/ids.ts";

const VERSION = 1;
const DIGEST_BYTES = 12;
const ID_BYTES = 16;
const TOKEN_BYTES = 1 + DIGEST_BYTES + ID_BYTES;

/** What a token belongs to: the name of the list and every field of its filter, in a fixed order. */
export type PageScope = readonly (string | number | undefined)[];

/** The token that goes on after the row with the id `after` (a UUID). */
export function pageTokenAfter(scope: PageScope, after: string): string {
  const id = Buffer.from(after.replaceAll("-", ""), "hex");
  return Buffer.concat([Buffer.of(VERSION), digest(scope, after), id]).toString("base64url");
}

/** The id of the row after which the page of this token begins; undefined for the empty token. @throws PAGE_TOKEN_INVALID */
export function rowBefore(scope: PageScope, token: string): string | undefined {
  if (token === "") return undefined;
  const bytes = Buffer.from(token, "base64url");
  if (bytes.length !== TOKEN_BYTES || bytes.toString("base64url") !== token) throw refusal("it is not complete.");
  if (bytes[0] !== VERSION) throw refusal("it was made by another version of this program.");
  const after = uuidOf(bytes.subarray(1 + DIGEST_BYTES));
  if (!digest(scope, after).equals(bytes.subarray(1, 1 + DIGEST_BYTES))) throw refusal("it belongs to another list or filter.");
  return after;
}

function digest(scope: PageScope, after: string): Buffer {
  const text = JSON.stringify([VERSION, after, ...scope.map((part) => part ?? null)]);
  return createHash("sha256").update(text).digest().subarray(0, DIGEST_BYTES);
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString("hex");
  const text = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  if (!isUuid(text)) throw refusal("it is not complete.");
  return text;
}

function refusal(reason: string): MaestroError {
  return new MaestroError("PAGE_TOKEN_INVALID", {
    facts: { field: "page_token", reason },
    violations: [{ field: "page_token", description: reason }],
  });
}
