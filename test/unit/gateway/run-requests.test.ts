import assert from "node:assert/strict";
import {
  checkEnd,
  checkHistory,
  checkList,
  checkRunId,
  checkSignal,
  checkStart,
  type ListRuns,
  type StartRequest,
} from "../../../gateway/service/run-requests.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { LIMITS } from "../../../runtime/limits.ts";

const RUN = "01900000-0000-7000-8000-000000000000";
const START: StartRequest = { namespace: "", workflow: "w", version: "", input: "", idempotencyKey: "", labels: {} };
const LIST: ListRuns = {
  namespace: "",
  workflow: "",
  statuses: [],
  createdAfterMs: undefined,
  createdBeforeMs: undefined,
  pageSize: 0,
  pageToken: "",
};
const LONG = "k".repeat(LIMITS.keyLength + 1);

/** The fields that a check refuses, in order. */
function refused(check: () => void): string[] {
  try {
    check();
    return [];
  } catch (error) {
    assert.ok(error instanceof MaestroError);
    assert.equal(error.code, "FIELD_INVALID");
    assert.equal(error.facts.field, error.violations[0]?.field);
    return error.violations.map(({ field }) => field);
  }
}

describe("run requests", () => {
  it("take what is right", () => {
    const labels = Object.fromEntries(Array.from({ length: LIMITS.labels }, (_, index) => [`label ${index}`, "ü"]));
    checkStart({ ...START, namespace: "a-1", version: "1.0.0-rc.1+b", input: "[]", idempotencyKey: LONG.slice(1), labels });
    checkRunId(RUN);
    checkRunId(RUN.replaceAll("0", "a").replace("-7", "-7").toUpperCase());
    checkList({ ...LIST, createdAfterMs: 1, createdBeforeMs: 2, pageSize: LIMITS.pageRows });
    checkHistory({ runId: RUN, fromSeq: 0, pageSize: 1 });
    checkSignal({ runId: RUN, name: "go", payload: "1", signalId: "", checkName: false });
    checkEnd({ runId: RUN, reason: "" });
  });

  it("refuse names that no document can have", () => {
    for (const workflow of ["", "-a", "a-", "a b", "a/b", "ä", "a".repeat(64)])
      assert.deepEqual(
        refused(() => checkStart({ ...START, workflow })),
        ["workflow"],
      );
    assert.deepEqual(
      refused(() => checkStart({ ...START, namespace: "a/b" })),
      ["namespace"],
    );
    assert.deepEqual(
      refused(() => checkStart({ ...START, version: "1/0" })),
      ["version"],
    );
  });

  it("refuse keys and labels that can't be stored or are too many", () => {
    for (const idempotencyKey of [LONG, "a\0", "a\nb"])
      assert.deepEqual(
        refused(() => checkStart({ ...START, idempotencyKey })),
        ["idempotency_key"],
      );
    const many = Object.fromEntries(Array.from({ length: LIMITS.labels + 1 }, (_, index) => [`l${index}`, ""]));
    for (const labels of [many, { "": "x" }, { a: LONG }, { a: "\0" }, { [LONG]: "x" }])
      assert.deepEqual(
        refused(() => checkStart({ ...START, labels })),
        ["labels"],
      );
  });

  it("name every mistake at once", () => {
    assert.deepEqual(
      refused(() => checkStart({ namespace: "!", workflow: "", version: " ", input: "x", idempotencyKey: LONG, labels: { "": "" } })),
      ["namespace", "workflow", "version", "input", "idempotency_key", "labels"],
    );
    assert.deepEqual(
      refused(() => checkSignal({ runId: "", name: "", payload: "x", signalId: LONG, checkName: false })),
      ["run_id", "name", "payload", "signal_id"],
    );
    assert.deepEqual(
      refused(() => checkHistory({ runId: "1", fromSeq: -1, pageSize: 1001 })),
      ["run_id", "from_seq", "page_size"],
    );
    assert.deepEqual(
      refused(() => checkEnd({ runId: "1", reason: LONG })),
      ["run_id", "reason"],
    );
  });

  it("tell an id of another kind from no id", () => {
    const descriptionOf = (runId: string): string | undefined => {
      try {
        checkRunId(runId);
        return undefined;
      } catch (error) {
        return error instanceof MaestroError ? error.violations[0]?.description : undefined;
      }
    };
    assert.equal(descriptionOf(""), "is required.");
    assert.equal(descriptionOf("x"), "must be a UUID of version 7.");
    assert.equal(descriptionOf(RUN.replace("-7", "-4")), "is a UUID, but not the id of a run, which is of version 7.");
  });

  it("refuse times and pages that make no sense", () => {
    assert.deepEqual(
      refused(() => checkList({ ...LIST, createdAfterMs: 2, createdBeforeMs: 2 })),
      ["created_before"],
    );
    assert.deepEqual(
      refused(() => checkList({ ...LIST, createdAfterMs: 1e20, pageSize: -1 })),
      ["created_after", "page_size"],
    );
  });

  it("measure payloads before they are parsed", () => {
    const input = "x".repeat(LIMITS.payloadBytes + 1);
    assert.throws(() => checkStart({ ...START, workflow: "", input }), { code: "MESSAGE_TOO_LARGE" });
    assert.throws(() => checkSignal({ runId: "", name: "", payload: input, signalId: "", checkName: false }), { code: "MESSAGE_TOO_LARGE" });
  });
});
