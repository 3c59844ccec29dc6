/**
 * What the nodes of a cluster tell each other over the bus, a few times a second: that they live, how busy they are, and which version of the ownership they
 * know. Hints only: they make a node look at the ownership sooner, and never say what it will find there.
 */
import type { Bus, Subscription } from "../bus/bus.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import { MaestroError } from "../errors.ts";
import type { BootId } from "../ids.ts";

/** How often a node tells that it lives, in milliseconds. */
const BEAT_EVERY_MS = 500;
/** A peer that was silent for so long is suspected, in milliseconds. */
const SILENT_AFTER_MS = 3 * BEAT_EVERY_MS;
/** A bus that was away proves nothing of who is silent on it for so long, in milliseconds: others may be back later than this node. */
const RECONNECTED_BY_MS = 2 * SILENT_AFTER_MS;
/** A suspicion that has not come true by then is dropped: the bus may be at fault, not the peer. */
const SUSPECTED_FOR_MS = 10_000;

/** What a node says of itself. Part of the wire format between nodes, as JSON: fields may be added. */
export interface Heartbeat {
  readonly bootId: BootId;
  /** Of the ownership, as the node knows it. */
  readonly version: number;
  /** The share of what it can take that it has under way: 0 idle, 1 full. */
  readonly load: number;
}

/** What heartbeats need. */
export interface HeartbeatsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly clusterName: string;
  readonly bootId: BootId;
  /** What this node says of itself now. */
  own(): Omit<Heartbeat, "bootId">;
  /** Called with each heartbeat of another node. */
  onHeard(heartbeat: Heartbeat): void;
}

interface Peer {
  readonly load: number;
  readonly heardAtMs: number;
}

/** The heartbeats of one node. */
export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  readonly #subject: string;
  readonly #peers = new Map<BootId, Peer>();
  #subscription: Subscription | undefined;
  #cancel: CancelTimer | undefined;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
    this.#subject = `maestro.${options.clusterName}.heartbeat`;
  }

  /** Begins to tell and to listen. */
  start(): void {
    this.#subscription = this.#options.bus.subscribe(this.#subject, ({ payload }) => this.#hear(payload));
    this.#beat();
  }

  /** Ends. */
  stop(): void {
    this.#cancel?.();
    this.#subscription?.close();
  }

  /** Tells now, because something has changed. Nothing is lost if it can't. */
  tell(): void {
    const { bus, bootId, own } = this.#options;
    if (bus.status.state !== "connected") return;
    try {
      bus.publish(this.#subject, new TextEncoder().encode(JSON.stringify({ bootId, ...own() })));
    } catch (error) {
      // The bus went away or is full in this moment. The next beat says the same.
      if (!(error instanceof MaestroError)) throw error;
    }
  }

  /** How busy a node said it is; undefined if it was not heard. */
  loadOf(bootId: BootId): number | undefined {
    return this.#peers.get(bootId)?.load;
  }

  /** True if one of these nodes was heard a moment ago. */
  hearsAny(peers: Iterable<BootId>): boolean {
    return [...peers].some((bootId) => this.#silentMs(bootId) <= SILENT_AFTER_MS);
  }

  /** True if one of these nodes fell silent a moment ago, while the bus seems to work. */
  suspectsAny(peers: Iterable<BootId>): boolean {
    if (!this.#isConnectedFor(SILENT_AFTER_MS)) return false;
    return [...peers].some((bootId) => {
      const silentMs = this.#silentMs(bootId);
      return silentMs > SILENT_AFTER_MS && silentMs < SUSPECTED_FOR_MS;
    });
  }

  /** True if this node was not heard for a while, although the bus has been there for long enough for everybody. */
  isSilent(bootId: BootId): boolean {
    return this.#isConnectedFor(RECONNECTED_BY_MS) && this.#silentMs(bootId) > SILENT_AFTER_MS;
  }

  /**
   * For how long a node that was heard before was not heard, in milliseconds; undefined if it was heard a moment ago, or never, or if the bus has not
   * been there for long enough to tell.
   */
  silenceMsOf(bootId: BootId): number | undefined {
    return this.#peers.has(bootId) && this.isSilent(bootId) ? this.#silentMs(bootId) : undefined;
  }

  /** Forgets all but these nodes. */
  retain(members: ReadonlySet<BootId>): void {
    for (const bootId of this.#peers.keys()) if (!members.has(bootId)) this.#peers.delete(bootId);
  }

  #isConnectedFor(durationMs: number): boolean {
    const { bus, clock } = this.#options;
    return bus.status.state === "connected" && clock.now() - bus.status.sinceMs >= durationMs;
  }

  #silentMs(bootId: BootId): number {
    return this.#options.clock.monotonic() - (this.#peers.get(bootId)?.heardAtMs ?? Number.NEGATIVE_INFINITY);
  }

  #beat(): void {
    this.tell();
    this.#cancel = this.#options.clock.schedule(BEAT_EVERY_MS, () => this.#beat());
  }

  #hear(payload: Uint8Array): void {
    const heartbeat = read(payload);
    if (heartbeat === undefined || heartbeat.bootId === this.#options.bootId) return;
    this.#peers.set(heartbeat.bootId, { load: heartbeat.load, heardAtMs: this.#options.clock.monotonic() });
    this.#options.onHeard(heartbeat);
  }
}

/** A heartbeat, or undefined if it is none: another version of the program may say what this one does not understand. */
function read(payload: Uint8Array): Heartbeat | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(payload));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { bootId, version, load } = (value ?? {}) as Partial<Heartbeat>;
  const isWhole = typeof bootId === "string" && typeof version === "number" && typeof load === "number";
  return isWhole ? { bootId, version, load } : undefined;
}
