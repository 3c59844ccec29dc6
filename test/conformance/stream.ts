/**
 * What every event stream promises, on a bed that can fail.
 */
import assert from "node:assert/strict";
import type { StoredMessage, StreamListener, StreamReader, StreamStart, StreamWriter } from "../../runtime/stream/stream.ts";
import { waitUntil } from "../support/wait-until.ts";

/** The bed. Subjects are those of events. */
export interface StreamBed {
  openWriter(listener: StreamListener): StreamWriter;
  openReader(): StreamReader;
  stop(): Promise<void>;
  restart(isWiped: boolean): Promise<void>;
  close(): Promise<void>;
}

const SUBJECT = "maestro.events.test.sample.workflow-started";
const ALL = "maestro.events.*.*.*";

/** A writer that remembers what it was told. */
class Writing implements StreamListener {
  readonly stored = new Set<number>();
  readonly refused = new Set<number>();
  readonly writer: StreamWriter;
  isReady = false;
  losses = 0;

  constructor(bed: StreamBed) {
    this.writer = bed.openWriter(this);
  }

  onReady(): void {
    this.isReady = true;
  }

  onLost(): void {
    this.isReady = false;
    this.losses += 1;
  }

  onStored(token: number): void {
    this.stored.add(token);
  }

  onRefused(token: number): void {
    this.refused.add(token);
  }

  async ready(): Promise<void> {
    await waitUntil("the stream to be ready", () => this.isReady);
  }

  async write(first: number, last: number, subject = SUBJECT): Promise<void> {
    for (let token = first; token <= last; token++) this.writer.send(token, subject, `id-${token}`, `text ${token}`);
    await waitUntil("all to be stored", () => this.stored.has(last) && this.stored.size >= last - first + 1);
  }
}

/** The suite. */
export function streamConformance(open: () => Promise<StreamBed>): void {
  let bed: StreamBed;
  let writing: Writing;
  let reader: StreamReader;
  let ended: AbortController;
  beforeEach(async function () {
    this.timeout(60_000);
    bed = await open();
    writing = new Writing(bed);
    reader = bed.openReader();
    ended = new AbortController();
    await writing.ready();
  });
  afterEach(async () => {
    ended.abort();
    await Promise.all([writing.writer.close(), reader.close()]);
    await bed.close();
  });

  /** Reads into a list until the test ends. */
  const follow = (start: StreamStart, subject = ALL): StoredMessage[] => {
    const read: StoredMessage[] = [];
    const drain = async (): Promise<void> => {
      for await (const message of reader.read({ start, subject, signal: ended.signal })) read.push(message);
    };
    drain().catch((error: unknown) => assert.fail(`reading failed: ${error}`));
    return read;
  };
  const finite = async (start: StreamStart, subject = ALL): Promise<readonly StoredMessage[]> => {
    const read: StoredMessage[] = [];
    for await (const message of reader.read({ start, subject, signal: ended.signal, stopsAtEnd: true })) read.push(message);
    return read;
  };
  const textsOf = (messages: readonly StoredMessage[]): readonly string[] => messages.map(({ text }) => text);

  it("stores messages in order and acknowledges each", async () => {
    await writing.write(1, 300);
    const read = await finite({ sequence: 1 });
    assert.deepEqual(
      textsOf(read),
      Array.from({ length: 300 }, (_, index) => `text ${index + 1}`),
    );
    assert.deepEqual([read[0]?.subject, read[0]?.id, read[0]?.sequence], [SUBJECT, "id-1", 1]);
  });

  it("stores one id once, and acknowledges it each time", async () => {
    await writing.write(1, 3);
    writing.writer.send(10, SUBJECT, "id-2", "text 2");
    await waitUntil("the repetition to be acknowledged", () => writing.stored.has(10));
    assert.deepEqual(textsOf(await finite({ sequence: 1 })), ["text 1", "text 2", "text 3"]);
  });

  it("is read from a number, from a time, and from now on", async () => {
    await writing.write(1, 5);
    const [third] = (await finite({ sequence: 3 })).slice(0, 1);
    assert.equal(third?.text, "text 3");
    assert.deepEqual(textsOf(await finite({ timeMs: (third?.storedAtMs ?? 0) + 3_600_000 })), []);
    assert.equal((await finite({ timeMs: (third?.storedAtMs ?? 0) - 3_600_000 })).length, 5);
    const fresh = follow("new");
    // What comes before the reading has begun is not promised.
    let token = 5;
    await waitUntil("what is new to arrive", async () => {
      token += 1;
      await writing.write(token, token);
      return fresh.length > 0;
    });
    assert.ok((fresh[0]?.sequence ?? 0) > 5);
  });

  it("is read by subject", async () => {
    await writing.write(1, 2);
    await writing.write(3, 4, "maestro.events.test.other.workflow-completed");
    assert.deepEqual(textsOf(await finite({ sequence: 1 }, "maestro.events.*.other.*")), ["text 3", "text 4"]);
    assert.deepEqual(textsOf(await finite({ sequence: 1 }, "maestro.events.*.*.workflow-started")), ["text 1", "text 2"]);
  });

  it("comes back by itself, with what it had, and goes on being read", async function () {
    this.timeout(30_000);
    await writing.write(1, 3);
    const read = follow({ sequence: 1 });
    await waitUntil("the first to be read", () => read.length === 3);
    await bed.stop();
    await waitUntil("the loss to be told of", () => !writing.isReady);
    await bed.restart(false);
    await waitUntil("the stream to be ready again", () => writing.isReady, 20_000);
    await writing.write(4, 6);
    await waitUntil("the rest to be read", () => read.length >= 6, 20_000);
    assert.deepEqual(
      read.map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5, 6],
    );
  });

  it("is made again when it was wiped, and is read from its new beginning", async function () {
    this.timeout(30_000);
    await writing.write(1, 5);
    const read = follow({ sequence: 1 });
    await waitUntil("the first to be read", () => read.length === 5);
    await bed.stop();
    await waitUntil("the loss to be told of", () => !writing.isReady);
    await bed.restart(true);
    await waitUntil("the stream to be ready again", () => writing.isReady, 20_000);
    await writing.write(6, 7);
    await waitUntil("what is new to be read", () => read.length >= 7, 20_000);
    assert.deepEqual(textsOf(read.slice(5)), ["text 6", "text 7"]);
    assert.deepEqual(
      read.slice(5).map(({ sequence }) => sequence),
      [1, 2],
    );
  });

  it("says that it can't be had", async function () {
    this.timeout(30_000);
    await bed.stop();
    await assert.rejects(bed.openReader().read({ start: "new", subject: ALL, signal: ended.signal }).next(), { code: "EVENTS_UNAVAILABLE" });
  });
}
