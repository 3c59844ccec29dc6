/**
 * A node's part in its cluster: listens to the renewals of its lease, looks at the ownership when it has changed, and does what convergence says. A
 * loop, never a one-shot: each round begins from what is true now, so that a lost message, a lost answer or a lost round costs time and nothing else.
 * Owns what the node holds; what runs there is its owner's.
 */
import type { Bus } from "../bus/bus.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import type { BootId, Shard } from "../ids.ts";
import type { Acquired, Joined, Ownership, Renewed } from "../storage/ownership.ts";
import type { OwnershipView } from "../storage/ownership-view.ts";
import { Arrival } from "./arrival.ts";
import { isMember } from "./cluster-view.ts";
import { type ClusterAction, CONVERGENCE_PACE, type ConvergenceMemory, converge, NOTHING_SEEN } from "./convergence.ts";
import { HandOvers, type HandOversOptions } from "./hand-overs.ts";
import { Heartbeats } from "./heartbeats.ts";
import type { LeaseRenewal } from "./lease-renewal.ts";
import { retryPauseMs } from "./retry-pause.ts";

/** What membership needs. */
export interface MembershipOptions {
  readonly ownership: Ownership;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly events: EventHub;
  readonly clusterName: string;
  readonly bootId: BootId;
  /** Of the boot's lease; it has begun, and ends after the membership. */
  readonly renewal: Pick<LeaseRenewal, "listen">;
  /** What the boot got as it joined. Its shards are held, and {@link onAcquired} is not called for them. */
  readonly joined: Joined;
  /** How busy the node is: 0 idle, 1 full. */
  load(): number;
  /** Called with each newer view of the cluster. */
  onView?(view: OwnershipView): void;
  /** Called several times while a peer that is to stay is silent on the bus, and before one is taken over: what it had may soon go on here. Must not throw. */
  onSuspicion?(): void;
  /** Called when the node got shards: it acts for them from now on. */
  onAcquired(acquired: Acquired): void;
  /** Stops what runs in the shards and flushes the journal, so that nothing of them is written any more. If it rejects, the node keeps them. */
  readonly handOff: HandOversOptions["handOff"];
  /** Called when shards that were handed off were given up in the table. */
  onReleased(shards: readonly Shard[]): void;
}

/** The membership of one boot. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #heartbeats: Heartbeats;
  readonly #arrival: Arrival;
  readonly #shards: HandOvers;
  readonly #drained = Promise.withResolvers<void>();
  /** For good: this node takes nothing any more. */
  #isLeaving = false;
  #view: OwnershipView | undefined;
  #memory: ConvergenceMemory = NOTHING_SEEN;
  #expired: readonly BootId[] = [];
  /** The newest version that was heard of, from whomever. */
  #knownVersion = 0;
  /** Grows with each change that this node makes: a view from before says what is not so any more. */
  #ownChanges = 0;
  #seenChanges = -1;
  #isStopped = false;
  #running: Promise<void> | undefined;
  #isAgain = false;
  #failures = 0;
  #cancelPause: CancelTimer | undefined;

  constructor(options: MembershipOptions) {
    const { ownership, bus, clock, events, clusterName, bootId, joined } = options;
    this.#options = options;
    this.#knownVersion = joined.version;
    this.#shards = new HandOvers({
      ...{ ownership, bootId, clock, events },
      handOff: (shards) => options.handOff(shards),
      onReleased: (shards) => this.#noteReleased(shards),
    });
    this.#shards.hold(joined.shards);
    this.#heartbeats = new Heartbeats({
      ...{ bus, clock, clusterName, bootId },
      own: () => ({ version: this.#knownVersion, load: options.load() }),
      onHeard: ({ version }) => {
        this.noteVersion(version);
        if (this.#arrival.isUnderWay) this.#wake();
      },
    });
    this.#arrival = new Arrival({ ...{ ownership, bootId, clock, events }, heartbeats: this.#heartbeats, isUnderWay: joined.isDraining });
  }

  /** How the cluster stood when this node last looked; undefined before that. */
  get view(): OwnershipView | undefined {
    return this.#view;
  }

  /** What it has heard of the other nodes. */
  get heard(): Pick<Heartbeats, "loadOf" | "silenceMsOf"> {
    return this.#heartbeats;
  }

  /** Begins: from now on the node can act for shards. */
  start(): void {
    this.#arrival.begin();
    this.#heartbeats.start();
    this.#options.renewal.listen({
      load: () => this.#options.load(),
      isUrgent: () => this.#heartbeats.suspectsAny(this.#peers()),
      isSilent: (peer) => this.#heartbeats.isSilent(peer),
      onRenewed: (renewed) => this.#noteRenewed(renewed),
    });
    this.#wake();
  }

  /**
   * Asks the cluster to take this node's shards over; resolves when it holds none, or was stopped. It stays a member, and takes no more, whatever becomes
   * of the others. Rejects if the ownership can't be told.
   */
  async drain(): Promise<void> {
    this.#arrival.end();
    await this.#sayLeaving();
    await this.#drained.promise;
  }

  /** Said again when somebody has taken the mark back: others would leave shards to this node that it does not take. */
  async #sayLeaving(): Promise<void> {
    await this.#options.ownership.announce(this.#options.bootId, { isDraining: true });
    this.#isLeaving = true;
    this.#noteChange();
  }

  /** Ends without a word to the cluster; resolves when nothing is under way. The lease is renewed nevertheless: nobody is to take this node for lost. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#options.renewal.listen(undefined);
    this.#heartbeats.stop();
    this.#cancelPause?.();
    this.#drained.resolve();
    await Promise.all([this.#shards.stop(), this.#running]);
  }

  /** Somebody knows this version of the ownership: if it is a newer one, it is looked at now. */
  noteVersion(version: number): void {
    if (version <= this.#knownVersion) return;
    this.#knownVersion = version;
    this.#wake();
  }

  #peers(isWanted = isMember): readonly BootId[] {
    const { bootId: self } = this.#options;
    return (this.#view?.nodes ?? []).filter(({ bootId, state }) => bootId !== self && isWanted(state)).map(({ bootId }) => bootId);
  }

  #noteRenewed({ isMember: isStillMember, version, expired }: Renewed): void {
    if (!isStillMember) {
      this.#lose();
      return;
    }
    this.#expired = expired;
    // One that drains falls silent before it has ended, in order; after a cut of the bus, others may be back on it later than this node.
    const silent = this.#peers((state) => state === "live").filter((peer) => this.#heartbeats.isSilent(peer));
    if (this.#heartbeats.suspectsAny(silent)) this.#options.onSuspicion?.();
    this.#knownVersion = Math.max(this.#knownVersion, version);
    // Also without a change: a grace may have ended.
    this.#wake();
  }

  /** This node has changed the ownership: everybody should look again. */
  #noteChange(): void {
    this.#ownChanges++;
    this.#knownVersion++;
    this.#heartbeats.tell();
    this.#wake();
  }

  #noteReleased(shards: readonly Shard[]): void {
    this.#options.onReleased(shards);
    this.#noteChange();
  }

  /** Not awaited: what is under way may take its time, and can change nothing any more. */
  #lose(): void {
    this.stop().catch((error: unknown) => this.#options.events.emit("cluster.storeFailed", { operation: "stop", reason: messageOf(error) }));
  }

  /** Has a round done now, or once more after the one that is under way. After a failure rounds wait for the pause to end. */
  #wake(): void {
    this.#isAgain = true;
    if (this.#isStopped || this.#running !== undefined || this.#cancelPause !== undefined) return;
    this.#running = this.#rounds().finally(() => {
      this.#running = undefined;
    });
  }

  /** Never rejects. */
  async #rounds(): Promise<void> {
    while (this.#isAgain && !this.#isStopped) {
      this.#isAgain = false;
      try {
        await this.#round();
        this.#failures = 0;
      } catch (error) {
        this.#options.events.emit("cluster.storeFailed", { operation: "look", reason: messageOf(error) });
        this.#pause();
        return;
      }
    }
  }

  #pause(): void {
    this.#failures++;
    this.#cancelPause = this.#options.clock.schedule(retryPauseMs(this.#failures), () => {
      this.#cancelPause = undefined;
      this.#wake();
    });
  }

  async #round(): Promise<void> {
    const view = await this.#look();
    // An answer to a change of its own may have come on the heels of the view, which then says what is not so any more. The change has asked for a new round.
    if (view === undefined || this.#seenChanges !== this.#ownChanges) return;
    const { actions, memory } = converge(
      {
        ...{ view, self: this.#options.bootId, expired: this.#expired, isLeaving: this.#isLeaving },
        nowMs: this.#options.clock.monotonic(),
        holdingOf: (shard) => this.#shards.holdingOf(shard),
      },
      this.#memory,
      CONVERGENCE_PACE,
    );
    this.#memory = memory;
    if (this.#arrival.isUnderWay && (await this.#arrival.announce(this.#peers()))) this.#noteChange();
    if (this.#isLeaving && view.find(this.#options.bootId)?.state === "live") await this.#sayLeaving();
    for (const action of actions) if (!this.#isStopped) await this.#act(action);
    if (this.#isLeaving && actions.length === 0 && this.#shards.count === 0) this.#drained.resolve();
  }

  /** The ownership as it is now; undefined if this node changed it meanwhile. */
  async #look(): Promise<OwnershipView | undefined> {
    const changes = this.#ownChanges;
    if (this.#view !== undefined && this.#view.version >= this.#knownVersion && this.#seenChanges === changes) return this.#view;
    const heardOf = this.#knownVersion;
    const view = await this.#options.ownership.view();
    if (changes !== this.#ownChanges) {
      this.#isAgain = true;
      return undefined;
    }
    this.#seenChanges = changes;
    // Whoever changes something guesses the version that this makes, so what was heard of may be ahead of what is.
    if (this.#knownVersion === heardOf) this.#knownVersion = view.version;
    if (view.version !== this.#view?.version) this.#tellOf(view);
    const isNewer = view.version !== this.#view?.version;
    this.#view = view;
    if (isNewer) this.#options.onView?.(view);
    return view;
  }

  #tellOf(view: OwnershipView): void {
    const members = view.nodes.filter(({ state }) => isMember(state));
    this.#heartbeats.retain(new Set(members.map(({ bootId }) => bootId)));
    this.#options.events.emit("cluster.changed", { version: view.version, members: members.length, held: this.#shards.count });
  }

  async #act(action: ClusterAction): Promise<void> {
    const { ownership, events, onSuspicion } = this.#options;
    if (action.kind === "release") return this.#shards.begin(action.shards);
    if (action.kind === "acquire") return this.#acquire(action.shards);
    this.#expired = this.#expired.filter((expired) => expired !== action.bootId);
    onSuspicion?.();
    if (await ownership.fence(action.bootId)) events.emit("cluster.fenced", { bootId: action.bootId });
    this.#noteChange();
  }

  async #acquire(asked: readonly Shard[]): Promise<void> {
    const { ownership, bootId, clock, events, onAcquired } = this.#options;
    const startedAtMs = clock.monotonic();
    const acquired = await ownership.acquire(bootId, asked);
    if (acquired.shards.size > 0) {
      this.#shards.hold(acquired.shards);
      events.emit("cluster.acquired", { shards: acquired.shards.size, bereft: acquired.bereft.size, durationMs: clock.monotonic() - startedAtMs });
      onAcquired(acquired);
    }
    this.#noteChange();
  }
}
