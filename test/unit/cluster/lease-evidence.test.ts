/** What ended leases prove, and when. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { contactAfter, firstContact, provenGone, type StoreContact } from "../../../runtime/cluster/lease-evidence.ts";
import { newBootId } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";

const LEASE_MS = 3_000;
const random = seededRandom(1);
const [silent, heard] = [newBootId(random), newBootId(random)];
const BOTH = [silent, heard];

/** The contact after answers at these times. */
const after = (...answersAtMs: readonly number[]): StoreContact =>
  answersAtMs.reduce((contact, atMs) => contactAfter(contact, atMs, LEASE_MS), firstContact(0));
const goneAfter = (...answersAtMs: readonly number[]) => provenGone(BOTH, after(...answersAtMs), LEASE_MS, (bootId) => bootId === silent);

describe("what ended leases prove", () => {
  it("all, once the store has answered for a lease", () => {
    assert.deepEqual(goneAfter(1_000, 2_000, 3_000), BOTH);
    assert.deepEqual(goneAfter(1_000, 2_000, 3_000, 4_999), BOTH);
  });

  it("as little to a node that begins as on the return of the store: it can't know that the store was not away", () => {
    assert.deepEqual(goneAfter(0), []);
    assert.deepEqual(goneAfter(999), []);
    assert.deepEqual(goneAfter(1_000), [silent]);
    assert.deepEqual(goneAfter(1_000, 2_000, 2_999), [silent]);
  });

  it("nothing on the return of the store, then only of whom the bus does not hear, and all after a lease", () => {
    assert.deepEqual(goneAfter(10_000), []);
    assert.deepEqual(goneAfter(10_000, 10_999), []);
    assert.deepEqual(goneAfter(10_000, 11_000), [silent]);
    assert.deepEqual(goneAfter(10_000, 11_000, 12_999), [silent]);
    assert.deepEqual(goneAfter(10_000, 11_000, 12_999, 13_000), BOTH);
  });

  it("nothing either after a time in which only leases that were renewed a little earlier have ended", () => {
    assert.deepEqual(goneAfter(1_000, 2_000, 3_000, 5_000), []);
    assert.deepEqual(goneAfter(1_000, 2_000, 3_000, 4_999), BOTH);
  });

  it("what it proved, although the store is slow, but nothing after each whole lease without an answer", () => {
    assert.deepEqual(goneAfter(10_000, 12_000), [silent]);
    assert.deepEqual(goneAfter(10_000, 12_000, 14_000), []);
    assert.deepEqual(goneAfter(10_000, 12_000, 14_000, 16_000), [silent]);
    assert.deepEqual(goneAfter(10_000, 13_000, 16_000), []);
  });

  it("never that a boot is gone which is heard and renews whenever it can, however often the store is away", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 10, max: 80 }), fc.nat(80)), { minLength: 1, maxLength: 10 }), fc.nat(9), (spells, phase) => {
        let [contact, nowMs, leaseUntilMs] = [firstContact(0), 0, LEASE_MS];
        for (const [up, down] of spells) {
          for (let step = 0; step < up + down; step++, nowMs += 100) {
            if (step >= up) continue;
            // Both renew three times in a lease, this node first after each outage, and the other before the next one.
            if (step % 10 === phase) leaseUntilMs = nowMs + LEASE_MS;
            if (step % 10 > 0) continue;
            contact = contactAfter(contact, nowMs, LEASE_MS);
            if (nowMs >= leaseUntilMs)
              assert.deepEqual(
                provenGone([heard], contact, LEASE_MS, () => false),
                [],
              );
          }
        }
      }),
      { numRuns: 500 },
    ));
});
