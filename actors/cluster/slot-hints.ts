/**
 * Tells the nodes of a cluster which concurrency keys have free slots again. Hints only: what gets lost costs those who wait at most until they ask
 * by themselves. Keys may hold what users keep to themselves, so that only hashes of them travel.
 */
import type { Bus } from "../../runtime/bus/bus.ts";
import { MaestroError } from "../../runtime/errors.ts";
import type { BootId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ConcurrencySlots } from "../run/concurrency-slots.ts";

/** What it needs. */
export interface SlotHintsOptions {
  readonly bus: Bus;
  readonly self: BootId;
  readonly clusterName: string;
  readonly slots: Pick<ConcurrencySlots, "share" | "noteFreed">;
}

/** What is told. */
interface Hint {
  readonly bootId: string;
  readonly hashes: readonly string[];
}

/** Tells others of slots that are freed here, and listens to what they tell; answers how to end that. */
export function openSlotHints({ bus, self, clusterName, slots }: SlotHintsOptions): () => void {
  const subject = `maestro.${clusterName}.slots.freed`;
  const subscription = bus.subscribe(subject, ({ payload }) => {
    const hint = hintOf(payload);
    if (hint.bootId !== self) slots.noteFreed(hint.hashes);
  });
  slots.share((hashes) => {
    try {
      bus.publish(subject, new TextEncoder().encode(JSON.stringify({ bootId: self, hashes })));
    } catch (error) {
      // The bus is full or goes away: it is one of the hints that get lost.
      if (!(error instanceof MaestroError)) throw error;
    }
  });
  return () => {
    slots.share(() => undefined);
    subscription.close();
  };
}

/** A hint of any version; JSON that is none tells nothing. @throws SyntaxError it is not even JSON: the bus logs that, and goes on. */
function hintOf(payload: Uint8Array): Hint {
  const told: unknown = JSON.parse(new TextDecoder().decode(payload));
  if (typeof told !== "object" || told === null) return { bootId: "", hashes: [] };
  const { bootId, hashes } = told as Readonly<Record<string, unknown>>;
  const known = Array.isArray(hashes) ? hashes.slice(0, LIMITS.slotsPerStatement).filter((hash) => typeof hash === "string") : [];
  return { bootId: String(bootId), hashes: known };
}
