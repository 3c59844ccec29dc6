import assert from "node:assert/strict";
import { unavailable } from "../../../runtime/storage/pg-connection.ts";
import { checkSettings } from "../../../runtime/storage/pg-settings.ts";

describe("a PostgreSQL that answers, and lets this user do too little", () => {
  it("is not one that can't be reached", () => {
    const refusal = Object.assign(new Error("permission denied for schema public"), { code: "42501" });
    const error = unavailable("postgres://guest@db.example:5432/runs", refusal);
    assert.deepEqual(
      [error.code, error.message.includes("db.example:5432/runs"), error.message.includes("schema public")],
      ["DATABASE_DENIED", true, true],
    );
    assert.equal(unavailable("postgres://guest@db.example:5432/runs", new Error("refused")).code, "DATABASE_UNAVAILABLE");
  });
});

describe("the server's settings", () => {
  const safe = { fsync: "on", full_page_writes: "on", synchronous_commit: "remote_apply", server_version_num: "140011" };
  const check = (changes: Record<string, string>) => () =>
    checkSettings(Object.entries({ ...safe, ...changes }).map(([name, setting]) => ({ name, setting })));

  it("pass when commits are durable", () => {
    assert.doesNotThrow(check({}));
    assert.doesNotThrow(check({ synchronous_commit: "local", server_version_num: "180004" }));
  });

  for (const name of ["fsync", "full_page_writes", "synchronous_commit"]) {
    it(`are refused with ${name} off, by its name`, () => {
      assert.throws(check({ [name]: "off" }), { code: "DATABASE_UNSAFE", facts: { setting: name, value: "off", safe: "on" } });
    });
  }

  it("are refused on a server that is too old, or says nothing", () => {
    assert.throws(check({ server_version_num: "130015" }), { code: "DATABASE_UNSAFE" });
    assert.throws(() => checkSettings([]), { code: "DATABASE_UNSAFE" });
  });
});
